internal import CarillonJSON

/// Parameters that several routes share.
extension Parameter {
    static let limit = Parameter(
        name: "limit",
        kind: .integer,
        summary: "Maximum number of results.",
        schema: ["type": "integer", "minimum": 1, "maximum": 1000, "default": 100],
        example: 100
    )
    static let cursor = Parameter(
        name: "cursor",
        kind: .text,
        summary: "The start of the page. Follow the `Link` header, which contains the cursor and the filters.",
        schema: ["type": "string"]
    )
    static let status = Parameter(
        name: "status",
        kind: .list,
        summary: "Only executions with these statuses; separate several with commas, or repeat the parameter.",
        schema: ["type": "array", "items": ["$ref": "#/components/schemas/ExecutionStatus"]],
        example: ["FAILED"]
    )
    static let from = time("from", "Due at this time or later (RFC 3339).")
    static let to = time("to", "Due before this time (RFC 3339).")

    static func time(_ name: String, _ summary: String) -> Parameter {
        Parameter(
            name: name,
            kind: .time,
            summary: summary,
            schema: ["type": "string", "format": "date-time"],
            example: "2026-01-01T00:00:00Z"
        )
    }

    static func path(_ name: String) -> Parameter {
        let isJob = name == "job_id"
        return Parameter(
            name: name,
            kind: .text,
            isRequired: true,
            summary: isJob ? "The job's id." : "The execution's id.",
            schema: ["type": "string", "format": "uuid"],
            example: .string(isJob ? Examples.jobID : Examples.executionID)
        )
    }
}
