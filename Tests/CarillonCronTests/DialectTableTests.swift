import CarillonCron
import Testing

/// The published table of dialects must be correct.
@Suite struct DialectTableTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var there: String
        var here: String
        var testDescription: String { there }
    }

    static let rows: [Row] = {
        let tests = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let article = Zones.read("/\(tests)/Sources/CarillonCron/CarillonCron.docc/Dialects.md")
        return String(decoding: article, as: UTF8.self).split(separator: "\n").compactMap { line in
            let cells = line.replacing("\\|", with: "\u{1}").split(separator: "|").map {
                $0.replacing("\u{1}", with: "|").trimmingPrefix(" ").replacing("`", with: "")
            }
            guard line.hasPrefix("|"), cells.count == 3, !cells[0].hasPrefix("Scheduler"), !cells[0].hasPrefix(":")
            else {
                return nil
            }
            return Row(there: trimmed(cells[1]), here: trimmed(cells[2]))
        }
    }()

    private static func trimmed(_ text: some StringProtocol) -> String {
        var text = String(text)
        while text.last == " " { text.removeLast() }
        return text
    }

    @Test func theTableIsRead() {
        #expect(Self.rows.count > 30)
    }

    @Test(arguments: rows)
    func rowsHold(row: Row) throws {
        let error = try #require(parseError(row.there))
        switch row.here {
        case "none": #expect(error.suggestion == nil)
        case "any minute", "any offset": #expect(error.suggestion != nil)
        default: #expect(error.suggestion == row.here, "\(error.message)")
        }
    }
}
