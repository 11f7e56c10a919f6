internal import CarillonCore
internal import CarillonJSON

extension Session {
    /// The id of the job for a name, an id, or the end of an id. An exact name has precedence.
    func jobID(_ reference: String) async throws -> String {
        if let id = UniqueID(reference) { return id.description }
        let answer = try await call("list_jobs", ["name": .string(reference), "limit": 2])
        let wanted = TextFormat.trimmed(reference)
        let found = (answer["jobs"]?.array ?? []).first { $0["name"]?.string.map(TextFormat.trimmed) == wanted }
        if let id = found?["job_id"]?.string { return id }
        if let digits = ShortID.digits(reference) { return try await jobID(endingWith: digits, reference) }
        throw ClientError(.notFound, Session.noJob(reference))
    }

    /// The ids of several jobs, without duplicates. All are looked up before the first is changed.
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
                "several job ids end with \(reference); give a name or more digits: \(names.joined(separator: ", "))"
            )
        }
        return first
    }

    private static func noJob(_ reference: String) -> String {
        "job \"\(reference)\" does not exist; write the name, the id, or at least the last \(ShortID.minimum) digits "
            + "of the id (see `carillon job list`); for the history of a deleted job write the whole id"
    }
}
