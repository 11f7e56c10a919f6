import CarillonCore
import CarillonWire
import TestSupport

/// The clocks of one process's machine: boot time from somewhere, a little too fast or too slow, and a wall clock that is wrong.
struct ProcessClock {
    /// Microseconds.
    private let bootOffset: Int64
    /// Too many parts per million.
    private let drift: Int64
    private var wallErrorMs: Int64
    /// For how many microseconds boot time did not go on: a virtual machine that was stopped.
    private(set) var stoodStill: Int64 = 0
    private unowned let world: World

    init(world: World) {
        self.world = world
        bootOffset = Int64.random(in: 1_000_000...9_000_000_000, using: &world.random)
        wallErrorMs = Int64.random(in: -7_200_000...7_200_000, using: &world.random)
        let most = Int64(world.options.driftPpm)
        drift = Int64.random(in: -most...most, using: &world.random)
    }

    /// Boot time at a moment, in microseconds, that was not before it last stood still.
    func boot(at time: Int64) -> BootTime {
        let elapsed = time - stoodStill
        return BootTime(nanoseconds: (elapsed + bootOffset) * 1_000 + elapsed * drift / 1_000)
    }

    var now: Now { Now(wall: world.trueTime + wallErrorMs, boot: boot(at: world.elapsed)) }

    var wireNow: WireNow {
        let now = now
        return WireNow(boot: now.boot, wallMicroseconds: now.wall.milliseconds * 1_000)
    }

    /// Somebody sets the wall clock.
    mutating func stepWall(byMs milliseconds: Int64) {
        wallErrorMs += milliseconds
    }

    mutating func standStill(forMicroseconds microseconds: Int64) {
        stoodStill += microseconds
    }
}
