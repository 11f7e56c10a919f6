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
                "By a worker, with all the settings of a job, and without making one. The answer does not wait for the call.",
            body: executeBody,
            needsBody: true,
            responses: [
                DocumentedResponse(
                    status: .accepted,
                    summary: "The execution, which is on its way.",
                    content: .json(schema: .reference("Accepted"), example: Examples.accepted),
                    headers: [("Location", "Where the execution is.")]
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
            details: "As execute, but answered when the call is over, with what the target said. One attempt, unless "
                + "max_retries says otherwise. Waits five minutes at most, also for a worker; then 503, and the execution goes "
                + "on without its caller.",
            body: executeBody,
            needsBody: true,
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The execution, which is over; `status` says how it went.",
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
            summary: "Look for changes made by hand",
            details: "For changes that were made by hand in SQL.",
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "It is done.",
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
            summary: "See when a schedule is due",
            details: "The next times of a schedule, in UTC and in its own zone.",
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
                    summary: "A name of the IANA time zone database.",
                    schema: ["type": "string", "default": "UTC"],
                    example: "Europe/Berlin"
                ),
                .time("from", "The times after this one; now unless told."),
                Parameter(
                    name: "count",
                    kind: .integer,
                    summary: "How many.",
                    schema: ["type": "integer", "minimum": 1, "maximum": 1000, "default": 10],
                    example: 3
                ),
                Parameter(
                    name: "dst_policy",
                    kind: .text,
                    summary: "What a change of the clocks does to due times.",
                    schema: ["$ref": "#/components/schemas/DstPolicy"]
                ),
            ],
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The times; none when it is never due.",
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
            summary: "See the cluster",
            details:
                "What the scheduler that answers knows of leases, queues and workers, and to which schedulers this gateway is connected.",
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The cluster.",
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
