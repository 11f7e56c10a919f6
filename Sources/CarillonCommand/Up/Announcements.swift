internal import Glibc

/// What `carillon up` prints while it runs. Where standard output cannot be written, the system is stopped in order: whoever waits
/// for these lines would wait forever.
final class Announcements {
    private let world: World
    /// Why a line could not be written.
    private(set) var failure: OutputProblem?

    init(world: World) {
        self.world = world
    }

    func write(_ text: String) {
        do throws(OutputProblem) {
            try world.write(text)
        } catch {
            // A reader that has seen enough, as `| head -1`, is no reason to stop.
            guard case .failed = error, failure == nil else { return }
            failure = error
            kill(getpid(), SIGTERM)
        }
    }
}
