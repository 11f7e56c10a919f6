internal import ArgumentParser

/// `carillon completions`: prints the completion script for a shell.
struct CompletionsCommand: WorldCommand {
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
    }

    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Print the completion script for a shell.",
        discussion: """
            bash:  carillon completions bash > ~/.local/share/bash-completion/completions/carillon
            zsh:   carillon completions zsh > ~/.zsh/completions/_carillon   (a folder in your fpath)
            fish:  carillon completions fish > ~/.config/fish/completions/carillon.fish

            Names of jobs are completed too: the shell asks the schedulers, for at most one second.

            `carillon --generate-completion-script SHELL` prints the same.
            """
    )

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    func run(in world: World) throws {
        let kind: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        try world.write(Carillon.completionScript(for: kind) + "\n")
    }
}
