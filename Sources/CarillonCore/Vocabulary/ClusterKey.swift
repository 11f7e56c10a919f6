/// The secret that all schedulers of a cluster share, stored in the database. With it a leader verifies the dispatch
/// tokens and epochs of earlier leaders without a record of them.
package struct ClusterKey: Sendable, Hashable {
    private let tokens: DispatchKey
    private let epochs: DispatchKey

    /// - Parameter secret: 32 random bytes.
    package init(secret: [UInt8]) {
        let key = DispatchKey(secret)
        tokens = key.derived(Array("carillon dispatch token".utf8))
        epochs = key.derived(Array("carillon epoch".utf8))
    }

    /// The key for tokens issued to one worker process.
    package func workerKey(name: String, bootID: UniqueID) -> DispatchKey {
        tokens.derived(bootID.bytes + Array(name.utf8))
    }

    /// The proof that a scheduler held this epoch.
    package func proof(epoch: Int64, incarnation: UInt64) -> AuthenticationCode {
        withUnsafeBytes(of: (epoch.bigEndian, incarnation.bigEndian)) { epochs.code(of: $0) }
    }
}

extension DispatchKey {
    /// The code of a dispatch token. It covers the token, the execution and the attempt; the key identifies the worker.
    package func code(of token: DispatchToken, _ execution: ExecutionID, attempt: Int) -> AuthenticationCode {
        withUnsafeBytes(
            of: (
                token.epoch.bigEndian, token.incarnation.bigEndian, token.sequence.bigEndian,
                execution.uuid.high.bigEndian, execution.uuid.low.bigEndian, Int64(attempt).bigEndian
            )
        ) { code(of: $0) }
    }
}
