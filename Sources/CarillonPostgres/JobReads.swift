internal import CarillonCore
internal import Synchronization

/// Reads single jobs. Requests that arrive during a read are combined into one query afterwards: many requests share a round trip
/// under load, and a single request does not wait. A result was true at some time after its request.
final class JobReads: Sendable {
    private typealias Answer = CheckedContinuation<Result<Job?, ReadError>, Never>

    private struct State {
        var waiting: [JobID: [Answer]] = [:]
        var underWay = 0
    }

    private let pool: ReaderPool
    private let state = Mutex(State())

    /// The limit of concurrent reads. Two, so that one hanging connection does not delay all requests.
    private static let maxUnderWay = 2
    /// The limit of jobs in one query.
    private static let maxJobs = 500

    init(pool: ReaderPool) {
        self.pool = pool
    }

    /// The job, even if deleted; `nil` if it never existed.
    func job(_ id: JobID) async throws(ReadError) -> Job? {
        let result = await withCheckedContinuation { (answer: Answer) in
            let begins = state.withLock { state in
                state.waiting[id, default: []].append(answer)
                guard state.underWay < Self.maxUnderWay else { return false }
                state.underWay += 1
                return true
            }
            if begins { Task { await readAll() } }
        }
        return try result.get()
    }

    private func readAll() async {
        while let batch = take() {
            let ids = Array(batch.keys)
            do throws(ReadError) {
                let jobs = try await pool.read { keeper throws(DatabaseError) in try Self.read(ids, keeper) }
                for (id, answers) in batch {
                    for answer in answers { answer.resume(returning: .success(jobs[id])) }
                }
            } catch {
                for answer in batch.values.joined() { answer.resume(returning: .failure(error)) }
            }
        }
    }

    private func take() -> [JobID: [Answer]]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.underWay -= 1
                return nil
            }
            guard state.waiting.count > Self.maxJobs else {
                defer { state.waiting = [:] }
                return state.waiting
            }
            var batch: [JobID: [Answer]] = [:]
            for id in state.waiting.keys.prefix(Self.maxJobs) { batch[id] = state.waiting.removeValue(forKey: id) }
            return batch
        }
    }

    private static let statement = Statement(
        "jobs_by_id",
        "SELECT \(Job.columns) FROM jobs j WHERE j.job_id = ANY($1::uuid[])"
    )

    private static func read(_ ids: [JobID], _ keeper: SessionKeeper) throws(DatabaseError) -> [JobID: Job] {
        let parameters = Parameters()
        parameters.addArray(uuid: ids) { $0.uuid }
        let jobs = try keeper.rows(statement, parameters) { Job(row: &$0) }
        return Dictionary(jobs.map { ($0.id, $0) }) { first, _ in first }
    }
}
