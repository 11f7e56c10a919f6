internal import CarillonJSON
internal import HTTPTypes

/// `/api/v1/debug`, `/api/v1/cron`, `/api/v1/cluster`
extension Route {
    static let tools: [Route] = [
        Route(
            method: .post,
            path: "/api/v1/debug/execute",
            name: "execute",
            tag: .tools,
            summary: "Call a URL once, now",
            details:
                "A worker makes the call with the given job settings; no job is created. The response does not wait for the call.",
            body: executeBody,
            needsBody: true,
            responses: [
                DocumentedResponse(
                    status: .accepted,
                    summary: "The execution, which has been queued.",
                    content: .json(schema: .reference("Accepted"), example: Examples.accepted),
                    headers: [("Location", "The address of the execution.")]
                )
            ],
            errors: [.invalid]
        ) { gateway, context throws(Problem) in
            let execution = try await gateway.call("execute_now", context.body)
            let names = ["execution_id", "job_id", "api_url", "scheduled_time", "status"]
            let members = names.map { JSONValue.Member($0, execution[$0] ?? .null) }
            return RouteResponse(.accepted, json: .object(members), headers: Gateway.location(of: execution))
        },
        Route(
            method: .post,
            path: "/api/v1/debug/execute_sync",
            name: "executeAndWait",
            tag: .tools,
            summary: "Call a URL once, now, and wait",
            details:
                "Like execute, but the response is sent when the call has ended, and contains the target's response. One attempt, unless "
                + "max_retries is set. The request waits at most five minutes, also for a free worker. Then it fails with 503, and the execution "
                + "continues.",
            body: executeBody,
            needsBody: true,
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The execution, which has ended; `status` is its outcome.",
                    content: .json(schema: .reference("Execution"), example: Examples.executedNow)
                )
            ],
            errors: [.invalid]
        ) { gateway, context throws(Problem) in
            RouteResponse(json: try await gateway.call("execute_now", context.body + [.init("wait", true)]))
        },
        Route(
            method: .post,
            path: "/api/v1/debug/refresh_schedule",
            name: "refreshSchedule",
            tag: .tools,
            summary: "Reload changes made with SQL",
            details: "Reads the jobs that were changed directly in the database.",
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The jobs have been read again.",
                    content: .json(
                        schema: .reference("ScheduleRefreshed"),
                        example: ["status": "SCHEDULE_REFRESHED", "jobs": 42]
                    )
                )
            ]
        ) { gateway, _ throws(Problem) in
            RouteResponse(json: try await gateway.call("refresh_schedule", []))
        },
        Route(
            method: .get,
            path: "/api/v1/cron/preview",
            name: "previewSchedule",
            tag: .tools,
            summary: "Preview a schedule",
            details: "The next due times of a schedule, in UTC and in the zone of the schedule.",
            parameters: [
                Parameter(
                    name: "schedule",
                    kind: .text,
                    isRequired: true,
                    summary: "A cron expression of 5 to 7 fields, or a nickname such as @daily or @every 5m.",
                    schema: ["type": "string"],
                    example: "0 30 9 * * MON-FRI"
                ),
                Parameter(
                    name: "time_zone",
                    kind: .timeZone,
                    summary: "A time zone name of the IANA database.",
                    schema: ["type": "string", "default": "UTC"],
                    example: "Europe/Berlin"
                ),
                .time("from", "List the due times after this time; by default after now."),
                Parameter(
                    name: "count",
                    kind: .integer,
                    summary: "Number of due times.",
                    schema: ["type": "integer", "minimum": 1, "maximum": 1000, "default": 10],
                    example: 3
                ),
                Parameter(
                    name: "dst_policy",
                    kind: .text,
                    summary: "How due times are treated when clocks are changed.",
                    schema: ["$ref": "#/components/schemas/DstPolicy"]
                ),
            ],
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The due times; empty if the schedule is never due.",
                    content: .json(schema: .reference("SchedulePreview"), example: Examples.preview)
                )
            ],
            errors: [.invalid]
        ) { gateway, context throws(Problem) in
            RouteResponse(json: try await gateway.call("preview_schedule", context.query))
        },
        Route(
            method: .get,
            path: "/api/v1/cluster",
            name: "getCluster",
            tag: .tools,
            summary: "Read the state of the cluster",
            details:
                "The leases, queues and workers as the answering scheduler sees them, and the schedulers that this gateway is connected to.",
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The state of the cluster.",
                    content: .json(schema: .reference("Cluster"), example: Examples.cluster)
                )
            ]
        ) { gateway, _ throws(Problem) in
            let cluster = try await gateway.call("get_cluster", [])
            guard case .object(let members) = cluster else { return RouteResponse(json: cluster) }
            return RouteResponse(json: .object(members + [.init("schedulers", gateway.schedulers)]))
        },
    ]

    private static let executeBody = BodyContract(
        schema: "Call",
        example: Examples.call,
        reserved: ["wait", "namespace"]
    )
}
