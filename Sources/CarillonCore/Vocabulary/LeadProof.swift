/// An epoch with the proof that the scheduler held it. A scheduler announces it when it leads.
package struct LeadProof: Sendable, Hashable {
    package var epoch: Int64
    /// Drawn at random when the epoch began.
    package var incarnation: UInt64
    package var proof: AuthenticationCode

    package init(epoch: Int64, incarnation: UInt64 = 0, proof: AuthenticationCode = .zero) {
        self.epoch = epoch
        self.incarnation = incarnation
        self.proof = proof
    }
}
