import CarillonCore
import CarillonJSON
import CarillonWire
import Testing

/// The field `namespace`, reserved for later: only one namespace exists.
@Suite struct NamespaceTests {
    private static let id = "01890a5d-ac96-774b-bcce-b302099a8057"

    /// Requests that name a job or an execution, or list them.
    private static let requests = MessageJSON.requestNames.filter { name in
        !["stop_watching", "refresh_schedule", "preview_schedule", "get_cluster"].contains(name)
    }

    private static func payload(_ request: String, _ namespace: JSONValue) throws -> [UInt8] {
        var members: [JSONValue.Member] = [.init("namespace", namespace)]
        for field in MessageJSON.describe(request) ?? [] where field.required {
            members.append(.init(field.field, .string(id)))
        }
        return try MessageJSON.encodeRequest(name: request, arguments: .object(members), id: 5)
    }

    @Test(arguments: requests) func anotherNamespaceIsRefused(_ request: String) throws {
        let payload = try Self.payload(request, "blue")
        let error = #expect(throws: WireError.self) { try MessageCodec().decode(payload: payload) }
        #expect(error?.requestID == 5)
        let answer = try #require(error?.asClientError)
        #expect(answer.code == .unimplemented && answer.errors.map(\.field) == ["namespace"])
        #expect(answer.text.contains("'blue' cannot be used: this version has only the namespace 'default'"))
    }

    @Test(arguments: requests) func theOneNamespaceIsTaken(_ request: String) throws {
        for namespace: JSONValue in ["default", "", nil] {
            let envelope = try MessageCodec().decode(payload: Self.payload(request, namespace))
            guard case .request = envelope.message else { return #expect(Bool(false), "\(envelope)") }
        }
    }
}
