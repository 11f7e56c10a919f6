package import ArgumentParser

extension ExitCode {
    /// An invalid setting (EX_USAGE of sysexits.h); a restart without a change cannot succeed.
    package static var wrongSetting: ExitCode { ExitCode(64) }

    /// Runs a program. An error is printed in one line and sets the exit status: `wrongSetting` for a `ConfigurationError`, 1 for
    /// other errors.
    package static func reporting(_ body: () async throws -> Void) async throws(ExitCode) {
        do {
            try await body()
        } catch {
            throw code(for: error)
        }
    }

    /// Like the function above, for a synchronous program.
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
