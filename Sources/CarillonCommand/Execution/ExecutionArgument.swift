internal import ArgumentParser

/// The argument for an execution: `EXECUTION`, or `JOB EXECUTION`.
struct ExecutionArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The execution: its id, the end of its id, or JOB@TIME; optionally preceded by the job.",
            valueName: "execution"
        ),
        completion: JobNames.completion
    )
    var words: [String]

    func validate() throws {
        guard words.count <= 2 else {
            throw ValidationError("there are \(words.count) arguments; write EXECUTION, or JOB and EXECUTION")
        }
    }
}
