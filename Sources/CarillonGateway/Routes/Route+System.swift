internal import CarillonJSON
internal import CarillonSystem
internal import HTTPTypes

/// Probes, metrics, documentation.
extension Route {
    static let system: [Route] = [
        Route(
            method: .get,
            path: "/health",
            name: "getHealth",
            tag: .system,
            summary: "Check whether calls are being made",
            details: "UP while a scheduler leads and a worker accepts calls.",
            responses: health(
                "A scheduler leads and a worker accepts calls.",
                "No scheduler leads, or no worker accepts calls; the fields are the same."
            )
        ) { gateway, _ throws(Problem) in
            let health = await gateway.health()
            return RouteResponse(health.isUp ? .ok : .serviceUnavailable, json: health.document(isUp: health.isUp))
        },
        Route(
            method: .get,
            path: "/livez",
            name: "getLiveness",
            tag: .system,
            summary: "Check whether this process is running",
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The process is running.",
                    content: .json(schema: .reference("Liveness"), example: ["status": "UP"])
                )
            ]
        ) { _, _ throws(Problem) in
            RouteResponse(json: ["status": "UP"])
        },
        Route(
            method: .get,
            path: "/readyz",
            name: "getReadiness",
            tag: .system,
            summary: "Check whether this gateway can answer requests",
            details:
                "UP while a scheduler answers, also a standby. A missing worker does not affect readiness; see /health. "
                + "If the request's Host is not allowed, the response contains only `status`.",
            responses: health("A scheduler answers.", "No scheduler answers.", schema: "Readiness")
        ) { gateway, context throws(Problem) in
            let health = await gateway.health()
            let isReady = health.answers
            // A page under a rebound name can read this response, so it contains nothing about the cluster.
            let document: JSONValue =
                context.isHostAllowed ? health.document(isUp: isReady) : ["status": isReady ? "UP" : "DOWN"]
            return RouteResponse(isReady ? .ok : .serviceUnavailable, json: document)
        },
        Route(
            method: .get,
            path: "/metrics",
            name: "getMetrics",
            tag: .system,
            summary: "Read the metrics of this gateway",
            details: "The response is in the text format of Prometheus.",
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The metrics.",
                    content: .other([("text/plain", ["type": "string"])])
                )
            ]
        ) { gateway, _ throws(Problem) in
            RouteResponse(.ok, .text(gateway.registry.render(), type: "text/plain; version=0.0.4; charset=utf-8"))
        },
        Route(
            method: .get,
            path: "/openapi.json",
            name: "getOpenAPI",
            tag: .system,
            summary: "Read this document",
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "An OpenAPI 3.1 document.",
                    content: .other([("application/json", ["type": "object"])])
                )
            ]
        ) { gateway, _ throws(Problem) in
            RouteResponse(
                .ok,
                .buffer(gateway.pages.openAPI, type: "application/json"),
                headers: [.cacheControl: "no-cache"]
            )
        },
        Route(
            method: .get,
            path: "/docs",
            name: "getDocs",
            tag: .system,
            summary: "Read the documentation",
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The API reference as an HTML page.",
                    content: .other([("text/html", ["type": "string"])])
                )
            ]
        ) { gateway, _ throws(Problem) in
            RouteResponse(.ok, .buffer(gateway.pages.docs, type: HTML.contentType), headers: gateway.pages.docsHeaders)
        },
        Route(
            method: .get,
            path: "/",
            name: "getRoot",
            tag: .system,
            summary: "Show the status page",
            details: "Browsers (`Accept: text/html`) get a status page; programs get the links of the API.",
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "The status page, or the links.",
                    content: .json(schema: .reference("Root"), example: Gateway.root)
                )
            ]
        ) { gateway, context throws(Problem) in
            guard AcceptHeader.prefersHTML(context.headers) else {
                return RouteResponse(.ok, .json(Gateway.root), headers: [.vary: "Accept"])
            }
            let page = StatusPage.render(await gateway.snapshot())
            var headers = StatusPage.headers
            headers[.vary] = "Accept"
            return RouteResponse(.ok, .text(page, type: HTML.contentType), headers: headers)
        },
    ]

    private static func health(_ up: String, _ down: String, schema: String = "Health") -> [DocumentedResponse] {
        [
            DocumentedResponse(
                status: .ok,
                summary: up,
                content: .json(schema: .reference(schema), example: Examples.health)
            ),
            DocumentedResponse(
                status: .serviceUnavailable,
                summary: down,
                content: .json(schema: .reference(schema), example: Examples.down)
            ),
        ]
    }
}
