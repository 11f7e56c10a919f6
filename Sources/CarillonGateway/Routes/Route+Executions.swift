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
            details: "Newest first. To list the failures of last night, use `status=FAILED,UNKNOWN&from=…`.",
            parameters: [.status, .from, .to, .limit, .cursor],
            responses: [page],
            errors: [.invalid]
        ) { gateway, context throws(Problem) in
            try await gateway.list("list_executions", member: "executions", context)
        },
        Route(
            method: .get,
            path: "/api/v1/executions/{job_id}",
            name: "listJobExecutions",
            tag: .executions,
            summary: "List executions of one job",
            details: "Newest first. The history of a deleted job is kept.",
            parameters: [.limit, .cursor, .status, .from, .to],
            responses: [page],
            errors: [.invalid, .unknownJob]
        ) { gateway, context throws(Problem) in
            try await gateway.list("list_executions", member: "executions", context)
        },
        Route(
            method: .get,
            path: "/api/v1/executions/{job_id}/latest",
            name: "getLatestExecution",
            tag: .executions,
            summary: "Read a job's latest execution",
            responses: [one("The execution.")],
            errors: [.invalid, .unknownExecution]
        ) { gateway, context throws(Problem) in
            RouteResponse(json: try await gateway.call("get_latest_execution", context.names))
        },
        Route(
            method: .get,
            path: "/api/v1/executions/{job_id}/stats",
            name: "getExecutionStats",
            tag: .executions,
            summary: "Read a job's statistics",
            details:
                "The number of successful and failed executions, their duration and their drift. Covers the last 24 hours by default.",
            parameters: [.from, .to],
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The statistics and the period that they cover.",
                    content: .json(schema: .reference("ExecutionStats"), example: Examples.stats)
                )
            ],
            errors: [.invalid, .unknownJob]
        ) { gateway, context throws(Problem) in
            RouteResponse(json: try await gateway.call("get_execution_stats", context.names + context.query))
        },
        Route(
            method: .get,
            path: "/api/v1/executions/{job_id}/{execution_id}",
            name: "getExecution",
            tag: .executions,
            summary: "Read an execution",
            details: "The response includes the failed attempts.",
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The execution.",
                    content: .json(schema: .reference("Execution"), example: Examples.retriedExecution)
                )
            ],
            errors: [.invalid, .unknownExecution]
        ) { gateway, context throws(Problem) in
            var execution = try await gateway.call("get_execution", context.names)
            if case .object(var members) = execution, execution["failed_attempts"] == nil {
                members.append(.init("failed_attempts", []))
                execution = .object(members)
            }
            return RouteResponse(json: execution)
        },
        Route(
            method: .post,
            path: "/api/v1/executions/{job_id}/{execution_id}/cancel",
            name: "cancelExecution",
            tag: .executions,
            summary: "Cancel an execution",
            details: "An execution that has ended cannot be cancelled: the first durable outcome wins.",
            responses: [
                DocumentedResponse(
                    status: .accepted,
                    summary: "The execution. A running call is being stopped.",
                    content: .json(schema: .reference("Execution"), example: Examples.cancelledExecution)
                )
            ],
            errors: [.invalid, .unknownExecution, .conflict]
        ) { gateway, context throws(Problem) in
            RouteResponse(.accepted, json: try await gateway.call("cancel_execution", context.names))
        },
    ]

    private static let page = DocumentedResponse(
        status: .ok,
        summary: "The executions.",
        content: .json(schema: .list(of: "Execution"), example: [Examples.execution]),
        headers: [("Link", "The next page, as `<…>; rel=\"next\"`.")]
    )

    private static func one(_ summary: String) -> DocumentedResponse {
        DocumentedResponse(
            status: .ok,
            summary: summary,
            content: .json(schema: .reference("Execution"), example: Examples.execution)
        )
    }
}
