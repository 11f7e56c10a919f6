internal import CarillonJSON
internal import HTTPTypes

/// The API reference as an HTML page, generated from the OpenAPI document.
struct DocsPage {
    var document: JSONValue

    static var headers: HTTPFields {
        var headers = HTML.headers(style: style, script: script)
        headers[.cacheControl] = "no-cache"
        return headers
    }

    /// A method of a path.
    private struct Operation {
        var method: String
        var path: String
        var value: JSONValue
        var pathParameters: [JSONValue]

        var id: String { value["operationId"]?.string ?? "" }
        var tag: String { value["tags"]?.array?.first?.string ?? "" }
        var parameters: [JSONValue] { pathParameters + (value["parameters"]?.array ?? []) }
    }

    func render() -> String {
        let info = document["info"]
        let operations = operations
        let tags = (document["tags"]?.array ?? []).compactMap { $0["name"]?.string }
        var links =
            "<a class=\"brand\" href=\"/\">Carillon</a>\n<input id=\"find\" type=\"search\" placeholder=\"Find…\" aria-label=\"Find\">\n"
        var text = """
            <h1>Carillon API <span class="dim">\(HTML.escape(info?["version"]?.string ?? ""))</span></h1>
            <p>\(HTML.prose(info?["description"]?.string ?? ""))</p>
            <p class="dim">The same as a document for programs: <a href="/openapi.json">/openapi.json</a></p>

            """
        for tag in tags {
            links += "<h4>\(HTML.escape(tag))</h4>\n"
            text += "<h2>\(HTML.escape(tag))</h2>\n"
            for operation in operations where operation.tag == tag {
                links += """
                    <a class="link" href="#\(HTML.escape(operation.id))">\(badge(operation.method))\
                    <span>\(HTML.escape(operation.value["summary"]?.string ?? ""))</span></a>

                    """
                text += section(operation)
            }
        }
        links += "<h4>Reference</h4>\n<a class=\"link\" href=\"#errors\"><span>Errors</span></a>\n"
        text += errors
        for schema in members(document["components"]?["schemas"]) {
            links +=
                "<a class=\"link\" href=\"#schema-\(HTML.escape(schema.name))\"><span>\(HTML.escape(schema.name))</span></a>\n"
        }
        text += "<h2>Schemas</h2>\n" + members(document["components"]?["schemas"]).map(schema).joined()
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
            <title>Carillon API</title><style>\(DocsPage.style)</style></head>
            <body><nav>
            \(links)</nav><main>
            \(text)</main><script>\(DocsPage.script)</script></body></html>
            """
    }

    private var operations: [Operation] {
        members(document["paths"]).flatMap { path -> [Operation] in
            members(path.value).filter { $0.name != "parameters" }.map { method in
                Operation(
                    method: method.name.uppercased(),
                    path: path.name,
                    value: method.value,
                    pathParameters: path.value["parameters"]?.array ?? []
                )
            }
        }
    }

    private func members(_ value: JSONValue?) -> [JSONValue.Member] {
        if case .object(let members) = value { members } else { [] }
    }

    private func badge(_ method: String) -> String {
        "<b class=\"method \(HTML.escape(method.lowercased()))\">\(HTML.escape(method))</b>"
    }

    // MARK: Operations

    private func section(_ operation: Operation) -> String {
        var text = """
            <section id="\(HTML.escape(operation.id))"><div class="left">
            <h3>\(HTML.escape(operation.value["summary"]?.string ?? ""))</h3>
            <p class="path">\(badge(operation.method)) <code>\(HTML.escape(operation.path))</code></p>

            """
        if let details = operation.value["description"]?.string { text += "<p>\(HTML.prose(details))</p>\n" }
        if !operation.parameters.isEmpty { text += parameters(operation.parameters) }
        if let body = operation.value["requestBody"]?["content"]?["application/json"]?["schema"] {
            text += "<p>Body: \(type(body))</p>\n"
        }
        text += answers(operation) + "</div><div class=\"right\">\n"
        text += "<h5>Request</h5>\n<pre><code>\(HTML.escape(curl(operation)))</code></pre>\n"
        for answer in members(operation.value["responses"]) {
            guard let example = answer.value["content"]?["application/json"]?["example"] else { continue }
            text +=
                "<h5>\(HTML.escape(answer.name))</h5>\n<pre><code>\(HTML.escape(JSONText.write(example, pretty: true)))</code></pre>\n"
        }
        return text + "</div></section>\n"
    }

    private func parameters(_ parameters: [JSONValue]) -> String {
        let rows = parameters.map { parameter in
            let isRequired = parameter["required"] == .bool(true)
            return """
                <tr><td><code>\(HTML.escape(parameter["name"]?.string ?? ""))</code>\
                <div class="dim">\(HTML.escape(parameter["in"]?.string ?? ""))\(isRequired ? ", required" : "")</div></td>\
                <td>\(HTML.prose(parameter["description"]?.string ?? ""))\
                <div class="dim">\(parameter["schema"].map(type) ?? "")</div></td></tr>

                """
        }
        return "<div class=\"panel\"><table>\(rows.joined())</table></div>\n"
    }

    private func answers(_ operation: Operation) -> String {
        let rows = members(operation.value["responses"]).map { answer in
            var value = answer.value
            if let name = value["$ref"]?.string?.split(separator: "/").last {
                value = document["components"]?["responses"]?[String(name)] ?? value
            }
            let kind = answer.name.hasPrefix("2") ? "good" : "bad"
            let schema = value["content"]?["application/json"]?["schema"].map { " " + type($0) } ?? ""
            let headers = members(value["headers"]).map { "<code>\(HTML.escape($0.name))</code>" }.joined(
                separator: " "
            )
            return """
                <tr><td class="\(kind)">\(HTML.escape(answer.name))</td>\
                <td>\(HTML.prose(value["description"]?.string ?? ""))\(schema) \(headers)</td></tr>

                """
        }
        return "<h5>Responses</h5><div class=\"panel\"><table>\(rows.joined())</table></div>\n"
    }

    private func curl(_ operation: Operation) -> String {
        var path = operation.path
        var query: [String] = []
        var headers = ""
        for parameter in operation.parameters {
            let name = parameter["name"]?.string ?? ""
            guard let example = parameter["example"] else { continue }
            let value = example.string ?? example.array?.first?.string ?? JSONText.write(example)
            switch parameter["in"]?.string {
            case "path":
                path = path.split(separator: "{\(name)}", omittingEmptySubsequences: false).joined(separator: value)
            case "query": query.append("\(name)=\(PercentCoding.encode(value))")
            case "header" where operation.method != "GET": headers += " \\\n  -H '\(name): \(value)'"
            default: break
            }
        }
        if !query.isEmpty { path += "?" + query.joined(separator: "&") }
        let method = operation.method == "GET" ? "" : "-X \(operation.method) "
        var text = "curl \(method)'http://127.0.0.1:8000\(path)'\(headers)"
        if let body = operation.value["requestBody"]?["content"]?["application/json"]?["example"] {
            text += " \\\n  -H 'Content-Type: application/json' \\\n  -d '\(JSONText.write(body, pretty: true))'"
        }
        return text
    }

    // MARK: Schemas

    private var errors: String {
        let code = document["components"]?["schemas"]?["Problem"]?["properties"]?["code"]
        let responses = members(document["components"]?["responses"])
        func example(_ response: JSONValue.Member) -> JSONValue? {
            members(response.value["content"]).first?.value["example"]
        }
        let rows = (code?["x-meanings"]?.array ?? []).map { meaning in
            func text(_ name: String) -> String { meaning[name]?.string ?? "" }
            return """
                <tr id="\(HTML.escape(text("code")))"><td><code>\(HTML.escape(text("code")))</code></td>\
                <td>\(HTML.escape(text("statuses")))</td>\
                <td>\(HTML.escape(text("title"))). \(HTML.prose(text("details")))</td></tr>

                """
        }
        let sample = responses.first.flatMap(example).map { JSONText.write($0, pretty: true) } ?? ""
        return """
            <h2 id="errors">Errors</h2>
            <p>Every error is an <code>application/problem+json</code> document. <code>code</code> and <code>reason</code> are stable.</p>
            <pre><code>\(HTML.escape(sample))</code></pre>
            <div class="panel"><table>\(rows.joined())</table></div>

            """
    }

    private func schema(_ schema: JSONValue.Member) -> String {
        var text = """
            <section class="plain" id="schema-\(HTML.escape(schema.name))"><h3>\(HTML.escape(schema.name))</h3>
            <p>\(HTML.prose(schema.value["description"]?.string ?? ""))</p>

            """
        if let words = schema.value["enum"]?.array {
            text +=
                "<p>" + words.compactMap(\.string).map { "<code>\(HTML.escape($0))</code>" }.joined(separator: " ")
                + "</p>\n"
        }
        let required = (schema.value["required"]?.array ?? []).compactMap(\.string)
        let rows = members(schema.value["properties"]).map { property in
            """
            <tr><td><code>\(HTML.escape(property.name))</code>\(required.contains(property.name) ? "" : "<div class=\"dim\">optional</div>")</td>\
            <td>\(HTML.prose(property.value["description"]?.string ?? ""))<div class="dim">\(type(property.value))</div></td></tr>

            """
        }
        if !rows.isEmpty { text += "<div class=\"panel\"><table>\(rows.joined())</table></div>\n" }
        return text + "</section>\n"
    }

    /// A short description of a schema's type.
    private func type(_ schema: JSONValue) -> String {
        if let name = schema["$ref"]?.string?.split(separator: "/").last {
            let link = "<a href=\"#schema-\(HTML.escape(String(name)))\">\(HTML.escape(String(name)))</a>"
            return link + (schema["default"].map { ", default <code>\(HTML.escape(JSONText.write($0)))</code>" } ?? "")
        }
        if let choices = schema["anyOf"]?.array { return choices.map(type).joined(separator: " or ") }
        var text: String
        switch schema["type"] {
        case .array(let types): text = types.compactMap(\.string).joined(separator: " or ")
        case .string("array"): text = "array of " + (schema["items"].map(type) ?? "anything")
        case let single: text = HTML.escape(single?.string ?? "")
        }
        if let format = schema["format"]?.string { text += " (\(HTML.escape(format)))" }
        for (name, word) in [
            ("minimum", "at least"), ("maximum", "at most"), ("maxLength", "length at most"), ("default", "default"),
        ] {
            if let value = schema[name] { text += ", \(word) <code>\(HTML.escape(JSONText.write(value)))</code>" }
        }
        return text
    }
}
