/// A set of small numbers, 0 to 255, as 256 bits: wide enough for the 230 years of the year field.
struct NumberSet: Sendable, Hashable {
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// The numbers 0 to 63 as one mask.
    var low: UInt64 { words.0 }

    subscript(number: Int) -> Bool {
        get { word(number >> 6) >> UInt64(number & 63) & 1 == 1 }
        set {
            let bit: UInt64 = 1 << UInt64(number & 63)
            withWord(number >> 6) { $0 = newValue ? $0 | bit : $0 & ~bit }
        }
    }

    mutating func insert(from lower: Int, through upper: Int, by step: Int) {
        var number = lower
        while number <= upper {
            self[number] = true
            // A step has no upper limit.
            guard step <= upper - number else { return }
            number += step
        }
    }

    /// The smallest member that is at least `number`.
    func first(atLeast number: Int) -> Int? {
        guard number < 256 else { return nil }
        let start = max(0, number)
        var index = start >> 6
        var rest = word(index) & (~0 << UInt64(start & 63))
        while rest == 0 {
            index += 1
            guard index < 4 else { return nil }
            rest = word(index)
        }
        return index << 6 + rest.trailingZeroBitCount
    }

    /// The largest member that is at most `number`.
    func last(atMost number: Int) -> Int? {
        guard number >= 0 else { return nil }
        let start = min(255, number)
        var index = start >> 6
        var rest = word(index) & (~0 >> UInt64(63 - start & 63))
        while rest == 0 {
            index -= 1
            guard index >= 0 else { return nil }
            rest = word(index)
        }
        return index << 6 + 63 - rest.leadingZeroBitCount
    }

    func union(_ other: NumberSet) -> NumberSet {
        var result = self
        result.words.0 |= other.words.0
        result.words.1 |= other.words.1
        result.words.2 |= other.words.2
        result.words.3 |= other.words.3
        return result
    }

    func intersection(_ other: NumberSet) -> NumberSet {
        var result = self
        result.words.0 &= other.words.0
        result.words.1 &= other.words.1
        result.words.2 &= other.words.2
        result.words.3 &= other.words.3
        return result
    }

    private func word(_ index: Int) -> UInt64 {
        switch index {
        case 0: words.0
        case 1: words.1
        case 2: words.2
        default: words.3
        }
    }

    private mutating func withWord(_ index: Int, _ change: (inout UInt64) -> Void) {
        switch index {
        case 0: change(&words.0)
        case 1: change(&words.1)
        case 2: change(&words.2)
        default: change(&words.3)
        }
    }

    static func == (left: NumberSet, right: NumberSet) -> Bool {
        left.words == right.words
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}

extension NumberSet {
    /// All members, ascending.
    var members: [Int] {
        var members: [Int] = []
        var number = first(atLeast: 0)
        while let found = number {
            members.append(found)
            number = first(atLeast: found + 1)
        }
        return members
    }

    init(_ members: some Sequence<Int>) {
        for member in members { self[member] = true }
    }

    init(low: UInt64) {
        words = (low, 0, 0, 0)
    }
}
