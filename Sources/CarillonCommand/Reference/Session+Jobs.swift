internal import CarillonCore
internal import CarillonJSON

extension Session {
    /// The id of the job that a person means by its name, its id, or the end of its id. A name that is equal wins.
    func jobID(_ reference: String) async throws -> String {
        if let id = UniqueID(reference) { return id.description }
        let answer = try await call("list_jobs", ["name": .string(reference), "limit": 2])
        let wanted = TextFormat.trimmed(reference)
        let found = (answer["jobs"]?.array ?? []).first { $0["name"]?.string.map(TextFormat.trimmed) == wanted }
        if let id = found?["job_id"]?.string { return id }
        if let digits = ShortID.digits(reference) { return try await jobID(endingWith: digits, reference) }
        throw ClientError(.notFound, Session.noJob(reference))
    }

    /// The ids of several jobs, each once. All are looked up before anything is done with one of them.
    func jobIDs(_ references: [String]) async throws -> [(reference: String, id: String)] {
        var jobs: [(reference: String, id: String)] = []
        for reference in references {
            let id = try await jobID(reference)
            if !jobs.contains(where: { $0.id == id }) { jobs.append((reference, id)) }
        }
        return jobs
    }

    private func jobID(endingWith digits: String, _ reference: String) async throws -> String {
        var found: [JSONValue] = []
        let list = PagedList(request: "list_jobs", arguments: [], member: "jobs", count: nil)
        _ = try await list.forEachPage(in: self) { _, jobs in
            found += jobs.filter { ShortID.matches($0["job_id"], digits) }
            return found.count < 5
        }
        guard let first = found.first?["job_id"]?.string else { throw ClientError(.notFound, Session.noJob(reference)) }
        guard found.count == 1 else {
            let names = found.map { job in
                let name = ValueFormat.text(job["name"])
                return ValueFormat.text(job["job_id"]) + (name.isEmpty ? "" : " (\(name))")
            }
            throw ClientError(
                .invalidArgument,
                "the ids of several jobs end with \(reference); give a name or more digits: \(names.joined(separator: ", "))"
            )
        }
        return first
    }

    private static func noJob(_ reference: String) -> String {
        "there is no job \"\(reference)\"; a job is named by its name, its id, or at least \(ShortID.minimum) digits from the end "
            + "of its id (see `carillon job list`), a deleted one, whose history is kept, by its whole id alone"
    }
}
