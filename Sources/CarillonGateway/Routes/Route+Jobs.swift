internal import CarillonJSON
internal import HTTPTypes

/// `/api/v1/jobs`
extension Route {
    private static let etag = (name: "ETag", summary: "The job's version, for If-Match.")
    private static let updateReserved = ["job_id", "if_version", "namespace"]

    static let jobs: [Route] = [
        Route(
            method: .post,
            path: "/api/v1/jobs",
            name: "createJob",
            tag: .jobs,
            summary: "Create a job",
            details: """
                Only the schedule and the URL are required; other settings have defaults. With an `Idempotency-Key` the request can \
                be repeated for a day: the job is created once, and every repetition returns the same job.
                """,
            headers: [.idempotencyKey],
            body: BodyContract(
                schema: "NewJob",
                example: Examples.newJob,
                reserved: ["idempotency_key", "fingerprint", "namespace"]
            ),
            needsBody: true,
            responses: [
                DocumentedResponse(
                    status: .created,
                    summary: "The current state of the job.",
                    content: .json(schema: .reference("Job"), example: Examples.job),
                    headers: [("Location", "The address of the job."), etag]
                )
            ],
            errors: [.invalid, .conflict, .reusedKey]
        ) { gateway, context throws(Problem) in
            let job = try await gateway.call("create_job", context.body + context.idempotency())
            var response = RouteResponse(.created, json: job, headers: Gateway.etag(of: job))
            if let id = job["job_id"]?.string { response.headers[.location] = "/api/v1/jobs/\(id)" }
            return response
        },
        Route(
            method: .get,
            path: "/api/v1/jobs",
            name: "listJobs",
            tag: .jobs,
            summary: "List jobs",
            details: "Newest first. The `Link` header contains the address of the next page, if there is one.",
            parameters: [
                Parameter(
                    name: "active",
                    kind: .boolean,
                    summary: "Only active jobs, or only paused jobs.",
                    schema: ["type": "boolean"]
                ),
                Parameter(
                    name: "name",
                    kind: .text,
                    summary: "Only the job with this name.",
                    schema: ["type": "string"],
                    example: "nightly-report"
                ),
                Parameter(
                    name: "tag",
                    kind: .text,
                    summary: "Only jobs with this tag.",
                    schema: ["type": "string"],
                    example: "reports"
                ),
                Parameter(
                    name: "last_status",
                    kind: .text,
                    summary: "Only jobs whose last ended execution has this status.",
                    schema: ["$ref": "#/components/schemas/ExecutionStatus"],
                    example: "FAILED"
                ),
                .limit, .cursor,
            ],
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The jobs.",
                    content: .json(schema: .list(of: "Job"), example: [Examples.job]),
                    headers: [
                        ("Link", "The next page, as `<…>; rel=\"next\"`."),
                        ("X-Total-Count", "Number of jobs; only if the list is not filtered."),
                    ]
                )
            ],
            errors: [.invalid]
        ) { gateway, context throws(Problem) in
            try await gateway.list("list_jobs", member: "jobs", context)
        },
        Route(
            method: .get,
            path: "/api/v1/jobs/{job_id}",
            name: "getJob",
            tag: .jobs,
            summary: "Read a job",
            headers: [.ifMatch],
            responses: [jobResponse("The job.")],
            errors: [.invalid, .unknownJob, .precondition]
        ) { gateway, context throws(Problem) in
            let condition = try Condition(context.headers)
            let job = try await gateway.call("get_job", context.names)
            if let version = job["version"]?.integer, !condition.allows(version) { throw Condition.mismatch(version) }
            return RouteResponse(json: job, headers: Gateway.etag(of: job))
        },
        change(
            .put,
            "putJob",
            "Change a job",
            "Like PATCH: settings that the body does not contain are not changed. `null` resets a setting to its default."
        ),
        change(
            .patch,
            "patchJob",
            "Change some settings of a job",
            "Settings that the body does not contain are not changed. `null` resets a setting to its default."
        ),
        Route(
            method: .delete,
            path: "/api/v1/jobs/{job_id}",
            name: "deleteJob",
            tag: .jobs,
            summary: "Delete a job",
            details:
                "Running calls are completed, and executions that wait for a retry are cancelled. The job's history is kept.",
            headers: [.ifMatch],
            responses: [DocumentedResponse(status: .noContent, summary: "The job is deleted.", content: .none)],
            errors: [.invalid, .unknownJob, .precondition]
        ) { gateway, context throws(Problem) in
            _ = try await gateway.call("delete_job", context.names + gateway.ifVersion(context))
            return RouteResponse(.noContent, .none)
        },
        Route(
            method: .post,
            path: "/api/v1/jobs/{job_id}/run",
            name: "runJob",
            tag: .jobs,
            summary: "Run a job now",
            details: """
                Runs the job in addition to its schedule, also when it is paused. With overlap_policy SKIP the run is refused while an execution \
                is open. With an `Idempotency-Key` the request can be repeated safely.
                """,
            headers: [.idempotencyKey],
            responses: [
                DocumentedResponse(
                    status: .accepted,
                    summary: "The execution, which has been queued.",
                    content: .json(schema: .reference("Execution"), example: Examples.manualExecution),
                    headers: [("Location", "The address of the execution.")]
                )
            ],
            errors: [.invalid, .unknownJob, .conflict, .reusedKey]
        ) { gateway, context throws(Problem) in
            let execution = try await gateway.call("run_job", context.names + context.idempotency())
            return RouteResponse(.accepted, json: execution, headers: Gateway.location(of: execution))
        },
        activity(
            "pause",
            "pauseJob",
            "pause_job",
            "Pause a job",
            "The schedule creates no executions until the job is resumed."
        ),
        activity(
            "resume",
            "resumeJob",
            "resume_job",
            "Resume a job",
            "The schedule continues from now on; due times during the pause are not caught up."
        ),
    ]

    private static func jobResponse(_ summary: String) -> DocumentedResponse {
        DocumentedResponse(
            status: .ok,
            summary: summary,
            content: .json(schema: .reference("Job"), example: Examples.job),
            headers: [etag]
        )
    }

    private static func change(
        _ method: HTTPRequest.Method,
        _ name: String,
        _ summary: String,
        _ details: String
    ) -> Route {
        Route(
            method: method,
            path: "/api/v1/jobs/{job_id}",
            name: name,
            tag: .jobs,
            summary: summary,
            details: details + " With `If-Match` the job is changed only if it has that version.",
            headers: [.ifMatch],
            body: BodyContract(schema: "JobChange", example: Examples.jobChange, reserved: updateReserved),
            needsBody: true,
            responses: [jobResponse("The current state of the job.")],
            errors: [.invalid, .unknownJob, .conflict, .precondition]
        ) { gateway, context throws(Problem) in
            let version = try await gateway.ifVersion(context)
            let job = try await gateway.call("update_job", context.names + context.body + version)
            return RouteResponse(json: job, headers: Gateway.etag(of: job))
        }
    }

    private static func activity(
        _ verb: String,
        _ name: String,
        _ request: String,
        _ summary: String,
        _ details: String
    ) -> Route {
        Route(
            method: .post,
            path: "/api/v1/jobs/{job_id}/\(verb)",
            name: name,
            tag: .jobs,
            summary: summary,
            details: details,
            responses: [jobResponse("The current state of the job.")],
            errors: [.invalid, .unknownJob]
        ) { gateway, context throws(Problem) in
            let job = try await gateway.call(request, context.names)
            return RouteResponse(json: job, headers: Gateway.etag(of: job))
        }
    }
}
