internal import CarillonCore
internal import CarillonRuntime

/// Performs the reads of the request machine.
struct RequestReads: Sendable {
    let store: any JobStore
    let reader: any HistoryReader
    let refresher: Refresher
    let status: StatusSnapshot
    let cluster: ClusterReader

    /// `answer` is called once, on any thread, before or after this function returns.
    func perform(_ read: RequestRead, answer: @escaping @Sendable (RequestReadResult) -> Void) {
        guard case .idempotencyKey(let operation, let key) = read else {
            Task {
                do throws(ReadError) {
                    answer(try await result(of: read))
                } catch {
                    answer(.failed(error))
                }
            }
            return
        }
        store.submit(.findIdempotencyKey(operation: operation, key: key)) { found in
            switch found {
            case .idempotencyRecord(let record): answer(.idempotencyKey(record))
            case .failed(let text): answer(.failed(ReadError(text)))
            default: answer(.failed(ReadError("idempotency key lookup failed")))
            }
        }
    }

    private func result(of read: RequestRead) async throws(ReadError) -> RequestReadResult {
        switch read {
        case .job(let id):
            return .job(try await reader.job(id, includingDeleted: true))
        case .jobs(let query):
            let page = try await reader.jobs(query)
            return .jobs(page.jobs, hasMore: page.hasMore, total: page.total)
        case .executions(let query):
            let page = try await reader.executions(query)
            return .executions(page.executions, hasMore: page.hasMore)
        case .execution(let id, let job):
            let found = try await reader.execution(id, of: job)
            return .execution(found?.execution, failedAttempts: found?.attempts ?? [])
        case .latestExecution(let job):
            return .execution(try await reader.latestExecution(of: job), failedAttempts: [])
        case .stats(let job, let from, let to):
            return .stats(try await reader.stats(of: job, from: from, to: to))
        case .editedJobs:
            guard await refresher.refreshNow() else { throw ReadError("job read failed; try again") }
            return .editedJobs(jobCount: Int64(status.current.jobs))
        case .cluster:
            return .cluster(await cluster.view())
        case .idempotencyKey:
            throw ReadError("the idempotency key is looked up by the store")
        }
    }
}
