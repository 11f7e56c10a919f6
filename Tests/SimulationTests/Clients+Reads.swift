import CarillonCore
import TestSupport

/// Requests whose responses the clients check themselves.
extension Clients {
    /// Sends a request twice with the same key: both responses must be for the same execution.
    func run(_ job: JobID, key: String) {
        let losses = losses
        for _ in 0..<2 {
            ask(.runJob(job, idempotencyKey: key, fingerprint: nil)) { [self, world] reply in
                guard case .answer(.execution(let execution, _, _)) = reply, losses == self.losses else { return }
                world.count("client ran a job")
                let made = world.database.store.keys["run_job:\(key)"]?.answer
                world.oracle.require(made == execution.id.uuid, "G9: \(key) was answered with \(execution.id)")
            }
            guard world.random.happens(0.5) else { return }
        }
    }

    /// Any scheduler answers reads. A change is visible once it was answered.
    func look(at job: Job) {
        switch Int.random(in: 0..<8, using: &world.random) {
        case 0:
            let (version, losses) = (answeredVersions[job.id] ?? 0, losses)
            ask(.getJob(job.id)) { [self, world] reply in
                guard case .answer(.job(let view)) = reply, losses == self.losses else { return }
                world.count("client read a job")
                world.oracle.require(
                    view.job.version >= version,
                    "G7: \(job.id) was changed, but a later read returned the old version"
                )
            }
        case 1:
            var list = ListJobs()
            list.limit = 3
            ask(.listJobs(list)) { [world] reply in
                guard case .answer(.jobList(let views, let next, _)) = reply else { return }
                world.count("client listed")
                let isPage = views.count <= 3 && (views.count == 3 || next == nil)
                world.oracle.require(isPage, "G9: a page of \(views.count)")
            }
        case 2:
            var list = ListExecutions()
            list.jobID = job.id
            ask(.listExecutions(list)) { [world] reply in
                guard case .answer(.executionList(let rows, _)) = reply else { return }
                world.count("client listed")
                world.oracle.require(rows.allSatisfy { $0.jobID == job.id }, "G9: executions of another job")
            }
        case 3:
            var list = ListJobs()
            list.cursor = job.id.description
            ask(.listJobs(list)) { [world] reply in
                guard case .answer(.jobList(let views, _, _)) = reply else { return }
                world.oracle.require(views.allSatisfy { $0.job.id < job.id }, "G9: a page before its cursor")
            }
        case 4:
            guard let row = store.executions.values.min(by: { $0.id < $1.id }) else { return }
            ask(.getExecution(row.jobID, row.id)) { [world] reply in
                guard case .answer(.execution(let found, _, _)) = reply else { return }
                world.oracle.require(found.id == row.id, "G9: \(found.id) was answered for \(row.id)")
            }
        case 5:
            ask(.getExecutionStats(job.id, from: nil, to: nil)) { [world] reply in
                guard case .answer(.executionStats(_, _, _, let stats)) = reply else { return }
                world.oracle.require(stats.successes + stats.failures <= stats.total, "G9: \(stats)")
            }
        case 6:
            ask(.previewSchedule(PreviewSchedule(schedule: job.schedule))) { [world] reply in
                guard case .answer(.schedulePreview(let preview)) = reply else { return }
                let isAscending = zip(preview.times, preview.times.dropFirst()).allSatisfy { $0.time < $1.time }
                world.oracle.require(isAscending, "G9: the preview of \(job.schedule)")
            }
        default:
            ask(.getLatestExecution(job.id)) { _ in }
        }
    }
}
