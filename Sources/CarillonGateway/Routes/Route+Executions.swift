internal import CarillonJSON
internal import HTTPTypes

/// `/api/v1/executions`
extension Route {
    static let executions: [Route] = [
        Route(
            method: .get,
            path: "/api/v1/executions",
            name: "listExecutions",
            tag: .executions,
            summary: "List executions of all jobs",
            details: "Newest first. What failed last night: `status=FAILED,UNKNOWN&from=…`.",
            parameters: [.status, .from, .to, .limit, .cursor],
            outcomes: [page],
            errors: [.invalid]
        ) { gateway, inquiry throws(Problem) in
            try await gateway.list("list_executions", member: "executions", inquiry)
        },
        Route(
            method: .get,
            path: "/api/v1/executions/{job_id}",
            name: "listJobExecutions",
            tag: .executions,
            summary: "List executions of one job",
            details: "Newest first. A deleted job's history stays.",
            parameters: [.limit, .cursor, .status, .from, .to],
            outcomes: [page],
            errors: [.invalid, .unknownJob]
        ) { gateway, inquiry throws(Problem) in
            try await gateway.list("list_executions", member: "executions", inquiry)
        },
        Route(
            method: .get,
            path: "/api/v1/executions/{job_id}/latest",
            name: "getLatestExecution",
            tag: .executions,
            summary: "Read a job's latest execution",
            outcomes: [one("The execution.")],
            errors: [.invalid, .unknownExecution]
        ) { gateway, inquiry throws(Problem) in
            Reply(json: try await gateway.call("get_latest_execution", inquiry.names))
        },
        Route(
            method: .get,
            path: "/api/v1/executions/{job_id}/stats",
            name: "getExecutionStats",
            tag: .executions,
            summary: "Read a job's figures",
            details:
                "How many executions ended well, how long they took, and how punctually they began. The last 24 hours unless told.",
            parameters: [.from, .to],
            outcomes: [
                Outcome(
                    status: .ok,
                    summary: "The figures, and what they cover.",
                    content: .json(schema: .reference("ExecutionStats"), example: Examples.stats)
                )
            ],
            errors: [.invalid, .unknownJob]
        ) { gateway, inquiry throws(Problem) in
            Reply(json: try await gateway.call("get_execution_stats", inquiry.names + inquiry.query))
        },
        Route(
            method: .get,
            path: "/api/v1/executions/{job_id}/{execution_id}",
            name: "getExecution",
            tag: .executions,
            summary: "Read an execution",
            details: "With its failed attempts.",
            outcomes: [
                Outcome(
                    status: .ok,
                    summary: "The execution.",
                    content: .json(schema: .reference("Execution"), example: Examples.retriedExecution)
                )
            ],
            errors: [.invalid, .unknownExecution]
        ) { gateway, inquiry throws(Problem) in
            var execution = try await gateway.call("get_execution", inquiry.names)
            if case .object(var members) = execution, execution["failed_attempts"] == nil {
                members.append(.init("failed_attempts", []))
                execution = .object(members)
            }
            return Reply(json: execution)
        },
        Route(
            method: .post,
            path: "/api/v1/executions/{job_id}/{execution_id}/cancel",
            name: "cancelExecution",
            tag: .executions,
            summary: "Cancel an execution",
            details: "One that is over cannot be cancelled: the first durable outcome wins.",
            outcomes: [
                Outcome(
                    status: .accepted,
                    summary: "The execution; a call that runs is being stopped.",
                    content: .json(schema: .reference("Execution"), example: Examples.cancelledExecution)
                )
            ],
            errors: [.invalid, .unknownExecution, .conflict]
        ) { gateway, inquiry throws(Problem) in
            Reply(.accepted, json: try await gateway.call("cancel_execution", inquiry.names))
        },
    ]

    private static let page = Outcome(
        status: .ok,
        summary: "The executions.",
        content: .json(schema: .list(of: "Execution"), example: [Examples.execution]),
        headers: [("Link", "The next page, as `<…>; rel=\"next\"`.")]
    )

    private static func one(_ summary: String) -> Outcome {
        Outcome(
            status: .ok,
            summary: summary,
            content: .json(schema: .reference("Execution"), example: Examples.execution)
        )
    }
}
