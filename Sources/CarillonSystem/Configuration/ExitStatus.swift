package import ArgumentParser

extension ExitCode {
    /// A setting is wrong (EX_USAGE of sysexits.h): starting again without changing it is of no use.
    package static var wrongSetting: ExitCode { ExitCode(64) }

    /// Runs a program. What it throws is printed in one line, and becomes the status that the process ends with:
    /// `wrongSetting` for a `ConfigurationError`, 1 for everything else.
    package static func reporting(_ body: () async throws -> Void) async throws(ExitCode) {
        do {
            try await body()
        } catch {
            throw code(for: error)
        }
    }

    /// The same, of a program that does not wait for anything.
    package static func reporting(_ body: () throws -> Void) throws(ExitCode) {
        do {
            try body()
        } catch {
            throw code(for: error)
        }
    }

    private static func code(for error: any Error) -> ExitCode {
        if let code = error as? ExitCode { return code }
        StandardError.write("error: \(error)\n")
        return error is ConfigurationError ? .wrongSetting : .failure
    }
}
