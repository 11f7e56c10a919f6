internal import Glibc

/// The lines that `carillon up` prints while it runs. If standard output cannot be written, the system is stopped in
/// order, because a reader of these lines would wait forever.
final class Announcements {
    private let world: World
    /// The reason why a line could not be written.
    private(set) var failure: OutputProblem?

    init(world: World) {
        self.world = world
    }

    func write(_ text: String) {
        do throws(OutputProblem) {
            try world.write(text)
        } catch {
            // A closed pipe, as with `| head -1`, does not stop the system.
            guard case .failed = error, failure == nil else { return }
            failure = error
            kill(getpid(), SIGTERM)
        }
    }
}
