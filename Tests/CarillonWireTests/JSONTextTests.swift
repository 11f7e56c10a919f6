import CarillonJSON
import Testing

@Suite struct JSONTextTests {
    private func problem(_ text: String) -> String? {
        problem(Array(text.utf8))
    }

    private func problem(_ bytes: [UInt8]) -> String? {
        do throws(JSONText.Problem) {
            _ = try JSONText.read(bytes)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func values() throws {
        #expect(try JSONText.read(" null ") == .null)
        #expect(try JSONText.read("[true,false,null]") == [true, false, nil])
        #expect(try JSONText.read("{}") == [:])
        #expect(try JSONText.read("-0") == 0)
        #expect(try JSONText.read("9223372036854775807") == .integer(.max))
        #expect(try JSONText.read("9223372036854775808") == .number(9_223_372_036_854_775_808))
        #expect(try JSONText.read("1.5e3") == .number(1500))
        #expect(try JSONText.read("0.1") == .number(0.1))
        #expect(
            try JSONText.read(#""a\"\\\/\b\f\n\r\t\u00e9\ud83c\udf90\u0000""#)
                == .string("a\"\\/\u{8}\u{C}\n\r\té🎐\u{0}")
        )
        #expect(try JSONText.read(#"{"b":1,"a":[{"c":""}]}"#) == ["b": 1, "a": [["c": ""]]])
    }

    @Test(arguments: [
        ("", "line 1, column 1: expected a value, found the end of the text"),
        (#"{"a": 1 "b": 2}"#, "line 1, column 9: expected ',' or '}'"),
        ("{\n  \"a\": 1,\n}", "line 3, column 1: expected a name in quotes"),
        ("{a: 1}", "line 1, column 2: expected a name in quotes or '}'"),
        (#"{"é": tru}"#, "line 1, column 7: expected a value; the words are true, false and null"),
        ("[1 2]", "line 1, column 4: expected ',' or ']'"),
        ("[1,]", "line 1, column 4: expected a value, found ']'"),
        ("01", "line 1, column 2: a number must not have leading zeros"),
        ("1.", "line 1, column 3: expected a digit"),
        ("-", "line 1, column 2: expected a digit"),
        ("1e999", "line 1, column 1: the number is too large"),
        ("NaN", "line 1, column 1: expected a value, found 'N'"),
        (#""abc"#, "line 1, column 1: the string has no end"),
        (#""\x""#, "line 1, column 2: unknown escape; the escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u"),
        (#""\ud800""#, "line 1, column 2: half of a surrogate pair"),
        (#""\udc00""#, "line 1, column 2: half of a surrogate pair"),
        (#""\ud800\ud800""#, "line 1, column 2: half of a surrogate pair"),
        (#""\u12g4""#, "line 1, column 2: \\u needs four hexadecimal digits"),
        ("{} {}", "line 1, column 4: expected the end of the text, found '{'"),
        (#"{"a":1,"b":2,"a":3}"#, "line 1, column 14: the name \"a\" appears twice in this object"),
        (#"{"a" 1}"#, "line 1, column 6: expected ':'"),
        ("\u{FEFF}{}", "line 1, column 1: expected a value, found '\u{FEFF}'"),
        ("'a'", "line 1, column 1: expected a value, found '''"),
        ("// x", "line 1, column 1: expected a value, found '/'"),
    ]) func problems(text: String, expected: String) {
        #expect(problem(text) == expected)
    }

    @Test func bytesThatAreNoText() {
        #expect(problem([0x22, 0xFF, 0x22]) == "line 1, column 2: not UTF-8")
        #expect(problem([0x22, 0x0A, 0x22])?.contains("control character") == true)
        #expect(problem([0x00]) == "line 1, column 1: expected a value, found a control character")
        #expect(problem([0x5B, 0x00, 0xFF]) == "line 1, column 3: not UTF-8")
    }

    @Test func depth() throws {
        let deep = { (levels: Int) in String(repeating: "[", count: levels) + String(repeating: "]", count: levels) }
        _ = try JSONText.read(deep(64))
        #expect(problem(deep(65)) == "line 1, column 65: nested deeper than 64 levels")
        #expect(problem(String(repeating: "[", count: 100_000))?.contains("nested deeper") == true)
    }

    @Test func writing() {
        let value: JSONValue = [
            "a": 1, "b": .number(2), "c": .number(0.5), "d": ["x\"\n\u{1}", nil, true], "e": [:], "f": [],
            "g": .number(.infinity), "h": .number(1e300),
        ]
        #expect(
            JSONText.write(value)
                == #"{"a":1,"b":2,"c":0.5,"d":["x\"\n\u0001",null,true],"e":{},"f":[],"g":null,"h":1e+300}"#
        )
        #expect(
            JSONText.write(["a": [1, 2], "b": [:]], pretty: true)
                == "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}"
        )
    }

    @Test(arguments: 0..<200) func writtenTextIsReadUnchanged(seed: Int) throws {
        var samples = Samples(seed: UInt64(seed))
        let value = samples.json(depth: 5)
        #expect(try JSONText.read(JSONText.write(value)) == value, "seed \(seed)")
        #expect(try JSONText.read(JSONText.write(value, pretty: true)) == value, "seed \(seed)")
    }

    @Test(arguments: 0..<4) func garbageNeverCrashes(round: Int) {
        let seed = UInt64(600 + round)
        var samples = Samples(seed: seed)
        let alphabet = Array(#"{}[]",:\u0123456789abcdeftrn -+.E"#.utf8)
        for _ in 0..<5_000 {
            var bytes = JSONText.bytes(of: samples.json(depth: 3))
            for _ in 0..<samples.small() % 5 where !bytes.isEmpty {
                bytes[Int(samples.random.next(upperBound: UInt64(bytes.count)))] = samples.element(alphabet)
            }
            _ = try? JSONText.read(bytes)
        }
        print("JSON garbage: seed \(seed)")
    }
}

extension Samples {
    mutating func json(depth: Int) -> JSONValue {
        switch random.next(upperBound: UInt64(depth > 0 ? 7 : 5)) {
        case 0: return .null
        case 1: return .bool(bool())
        case 2: return .integer(Int64(truncatingIfNeeded: random.next()))
        case 3: return .number(Double(number()) / 1_024 + 0.000_976_562_5 / 2)
        case 4: return .string(text())
        case 5: return .array(list { $0.json(depth: depth - 1) })
        default:
            var members: [JSONValue.Member] = []
            for index in 0..<small() % 5 {
                members.append(JSONValue.Member("\(index)\(text())", json(depth: depth - 1)))
            }
            return .object(members)
        }
    }
}
