import CarillonCore
import CarillonWire
import TestSupport

/// The clocks of a process: a boot clock with an offset and a drift, and a wall clock with a wrong time.
struct ProcessClock {
    /// Microseconds.
    private let bootOffset: Int64
    /// Parts per million; positive if the clock is fast.
    private let drift: Int64
    private var wallErrorMs: Int64
    /// The microseconds for which boot time stood still, as in a stopped virtual machine.
    private(set) var stoodStill: Int64 = 0
    private unowned let world: World

    init(world: World) {
        self.world = world
        bootOffset = Int64.random(in: 1_000_000...9_000_000_000, using: &world.random)
        wallErrorMs = Int64.random(in: -7_200_000...7_200_000, using: &world.random)
        let most = Int64(world.options.driftPpm)
        drift = Int64.random(in: -most...most, using: &world.random)
    }

    /// Boot time at a moment in microseconds, which must not be before the last standstill.
    func boot(at time: Int64) -> BootTime {
        let elapsed = time - stoodStill
        return BootTime(nanoseconds: (elapsed + bootOffset) * 1_000 + elapsed * drift / 1_000)
    }

    var now: Now { Now(wall: world.trueTime + wallErrorMs, boot: boot(at: world.elapsed)) }

    var wireNow: WireNow {
        let now = now
        return WireNow(boot: now.boot, wallMicroseconds: now.wall.milliseconds * 1_000)
    }

    /// Sets the wall clock.
    mutating func stepWall(byMs milliseconds: Int64) {
        wallErrorMs += milliseconds
    }

    mutating func standStill(forMicroseconds microseconds: Int64) {
        stoodStill += microseconds
    }
}
