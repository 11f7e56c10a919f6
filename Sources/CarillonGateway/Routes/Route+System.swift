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
            summary: "Whether calls are being made",
            details: "UP while a scheduler leads and a worker is there.",
            responses: health(
                "Everything is there.",
                "No scheduler leads, or there is no worker; the fields are the same."
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
            summary: "Whether this process lives",
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "It does.",
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
            summary: "Whether this gateway can answer requests",
            details:
                "UP while a scheduler answers, be it a standby. A missing worker is no reason to send clients elsewhere: see /health. "
                + "Where the request's Host is not an allowed one, the answer has only `status`.",
            responses: health("A scheduler answers.", "No scheduler answers.", schema: "Readiness")
        ) { gateway, context throws(Problem) in
            let health = await gateway.health()
            let isReady = health.answers
            // A page under a rebound name can read the answer, and learns nothing of the cluster.
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
            details: "In the text format of Prometheus.",
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
                    summary: "A page for people.",
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
            summary: "See the state of things",
            details: "A status page for browsers (`Accept: text/html`), the addresses of everything for programs.",
            responses: [
                DocumentedResponse(
                    status: .ok,
                    summary: "What is here.",
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
