import CarillonWire

/// The end of a connection that dials a scheduler: a worker, or a client.
protocol Dialer: AnyObject {
    var name: String { get }
    var role: Role { get }
    /// Increases with each start and end. Events of an earlier life are ignored.
    var life: Int { get }
    var isAlive: Bool { get }
    var wireNow: WireNow { get }
    /// The first message of the connection.
    var hello: Hello { get }
    /// Performs work of this process as soon as the process can run.
    func whenRunning(_ life: Int, _ work: @escaping () -> Void)
    func connected(_ link: Link)
    func received(_ envelope: Envelope, over link: Link)
    func disconnected(_ link: Link)
}
