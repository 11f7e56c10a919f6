/// The content of a frame: a message, and the id that connects an answer with its request (0: no answer is expected).
package struct Envelope: Sendable, Hashable {
    package var id: UInt64
    package var message: Message

    package init(id: UInt64 = 0, _ message: Message) {
        self.id = id
        self.message = message
    }
}
