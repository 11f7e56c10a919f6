internal import CarillonRuntime
internal import CarillonWire

extension WireNow {
    /// The clocks of this machine, for the connections.
    static var current: WireNow {
        WireNow(boot: SystemClock.bootTime(), wallMicroseconds: SystemClock.wallMicroseconds())
    }
}
