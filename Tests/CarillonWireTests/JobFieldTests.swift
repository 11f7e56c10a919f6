import CarillonCore
import CarillonJSON
import CarillonWire
import TestSupport
import Testing

/// The catalogue of settings and the protocol's message must agree.
@Suite struct JobFieldTests {
    @Test func theProtocolHasTheSettingsOfTheCatalogue() throws {
        let fields = try #require(MessageJSON.describe("execute_now")).map(\.field)
            .filter { $0 != "wait" && $0 != "namespace" }
        #expect(fields == JobField.all.map(\.name))
    }

    @Test(arguments: JobField.all) func wordsAreThoseOfTheProtocol(_ field: JobField) throws {
        guard !field.words.isEmpty else { return }
        let described = try #require(MessageJSON.describe("create_job")?.first { $0.field == field.name })
        #expect(described.type == "one of \(field.words.joined(separator: ", "))")
    }

    @Test(arguments: JobField.all) func aSettingArrivesAsItWasSent(_ field: JobField) throws {
        var settings = JobSettings()
        settings[field] = field.sample
        let request = Request.executeNow(settings, wait: false)
        let frame = MessageCodec.frame(of: Envelope(id: 3, .request(request)))
        #expect(try MessageCodec().decode(payload: Array(frame.dropFirst(4))).message == .request(request))
    }

    @Test(arguments: JobField.all) func aJobArrivesUnchanged(_ field: JobField) throws {
        var job = Job.blank
        field.set(field.sample, of: &job)
        let answer = Answer.job(JobView(job: job, scheduleDescription: "", nextRunTime: nil))
        let frame = MessageCodec.frame(of: Envelope(id: 3, .answer(answer)))
        #expect(try MessageCodec().decode(payload: Array(frame.dropFirst(4))).message == .answer(answer))
        let json = try MessageJSON.decodeAnswer(Array(frame.dropFirst(4))).value
        #expect(json[field.name].map { $0 == JSONValue(field.sample) || $0 == .whole(field.sample) } == true)
    }
}

extension JSONValue {
    /// The value as in a message, where seconds always have a fraction.
    fileprivate static func whole(_ value: JobValue) -> JSONValue {
        if case .seconds(let seconds) = value { .number(seconds) } else { JSONValue(value) }
    }
}
