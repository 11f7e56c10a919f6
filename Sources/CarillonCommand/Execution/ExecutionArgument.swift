internal import ArgumentParser

/// Which execution: `EXECUTION`, or `JOB EXECUTION`.
struct ExecutionArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The execution: its id, the end of its id, or JOB@TIME; before it the job, if you like.",
            valueName: "execution"
        ),
        completion: JobNames.completion
    )
    var words: [String]

    func validate() throws {
        guard words.count <= 2 else {
            throw ValidationError("there are \(words.count) words; write EXECUTION, or JOB and EXECUTION")
        }
    }
}
