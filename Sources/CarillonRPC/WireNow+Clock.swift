internal import CarillonRuntime
internal import CarillonWire

extension WireNow {
    /// The current time by this machine's clocks.
    static var current: WireNow {
        WireNow(boot: SystemClock.bootTime(), wallMicroseconds: SystemClock.wallMicroseconds())
    }
}
