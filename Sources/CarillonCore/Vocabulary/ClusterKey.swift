/// The secret that all schedulers of a cluster share, kept in the database. With it a leader recognizes what an earlier leader
/// issued without a record of it: dispatch tokens, and epochs.
package struct ClusterKey: Sendable, Hashable {
    private let tokens: DispatchKey
    private let epochs: DispatchKey

    /// - Parameter secret: 32 random bytes.
    package init(secret: [UInt8]) {
        let key = DispatchKey(secret)
        tokens = key.derived(Array("carillon dispatch token".utf8))
        epochs = key.derived(Array("carillon epoch".utf8))
    }

    /// The key of the tokens that are issued to one worker process.
    package func workerKey(name: String, bootID: UniqueID) -> DispatchKey {
        tokens.derived(bootID.bytes + Array(name.utf8))
    }

    /// The proof that an epoch was held.
    package func proof(epoch: Int64, incarnation: UInt64) -> AuthenticationCode {
        withUnsafeBytes(of: (epoch.bigEndian, incarnation.bigEndian)) { epochs.code(of: $0) }
    }
}

extension DispatchKey {
    /// The code of a dispatch token: it covers the token, the execution and the attempt. The key stands for the worker.
    package func code(of token: DispatchToken, _ execution: ExecutionID, attempt: Int) -> AuthenticationCode {
        withUnsafeBytes(
            of: (
                token.epoch.bigEndian, token.incarnation.bigEndian, token.sequence.bigEndian,
                execution.uuid.high.bigEndian, execution.uuid.low.bigEndian, Int64(attempt).bigEndian
            )
        ) { code(of: $0) }
    }
}
