import ArgumentParser
import Testing

@testable import CarillonCommand

/// The options that `carillon up` passes to its gateway.
@Suite struct BrowserOptionsTests {
    private func arguments(_ line: [String], _ environment: [String: String] = [:]) throws -> [String] {
        try BrowserOptions.parse(line).arguments(environment: environment)
    }

    @Test func optionsWinOverTheEnvironment() throws {
        #expect(try arguments([]) == [])
        let environment = [
            "PUBLIC_URL": "https://a.example", "ALLOWED_HOSTS": "b.example,c", "TRUSTED_PROXIES": "10.0.0.0/8",
            "PORT": "1",
        ]
        #expect(
            try arguments([], environment) == [
                "--public-url", "https://a.example", "--allowed-hosts", "b.example,c", "--trusted-proxies",
                "10.0.0.0/8",
            ]
        )
        #expect(
            try arguments(["--allowed-hosts", "d"], environment) == [
                "--public-url", "https://a.example", "--allowed-hosts", "d", "--trusted-proxies", "10.0.0.0/8",
            ]
        )
        #expect(try arguments([], ["PUBLIC_URL": "", "ALLOWED_HOSTS": ""]) == [])
    }

    @Test func anInvalidVariableIsNamed() throws {
        let options = try BrowserOptions.parse([])
        #expect(throws: CommandFailure.self) { try options.arguments(environment: ["PUBLIC_URL": "a.example"]) }
        do {
            _ = try options.arguments(environment: ["TRUSTED_PROXIES": "proxy"])
        } catch {
            #expect(error.text.hasPrefix("TRUSTED_PROXIES is proxy; allowed is ADDRESS[/BITS]"))
            #expect(error.status == .usage)
        }
    }
}
