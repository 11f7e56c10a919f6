import CarillonWire

/// The end of a connection that dials a scheduler: a worker, or a client.
protocol Dialer: AnyObject {
    var name: String { get }
    var role: Role { get }
    /// Grows with each start and end: what belongs to an earlier life comes to nothing.
    var life: Int { get }
    var isAlive: Bool { get }
    var wireNow: WireNow { get }
    /// The first thing that it says.
    var hello: Hello { get }
    /// Does something that this process does, as soon as it can.
    func whenRunning(_ life: Int, _ work: @escaping () -> Void)
    func connected(_ link: Link)
    func received(_ envelope: Envelope, over link: Link)
    func disconnected(_ link: Link)
}
