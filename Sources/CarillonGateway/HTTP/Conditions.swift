internal import CarillonCore
internal import CarillonJSON
internal import HTTPTypes

/// If-Match (RFC 9110, section 13.1.1): the job versions that a request accepts.
enum Condition: Sendable, Hashable {
    /// The header is absent, or is `*`.
    case any
    /// The job must have one of these versions. An empty list matches no version.
    case oneOf([Int64])

    init(_ headers: HTTPFields) throws(Problem) {
        let lines = headers[values: .ifMatch]
        guard !lines.isEmpty else {
            self = .any
            return
        }
        var versions: [Int64] = []
        for part in lines.joined(separator: ",").split(separator: ",") {
            let tag = part.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
            let text = String(tag)
            if text == "*" {
                self = .any
                return
            }
            let isQuoted = text.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"")
            if let version = Int64(isQuoted ? String(text.dropFirst().dropLast()) : text) {
                versions.append(version)
            } else if !isQuoted, !text.hasPrefix("W/\"") {
                throw .invalid("If-Match", "is \(text.prefix(60)); it must be a job's ETag such as \"3\", or *")
            }
        }
        // Weak tags and tags that are not version numbers match no job.
        self = .oneOf(versions)
    }

    func allows(_ version: Int64) -> Bool {
        switch self {
        case .any: true
        case .oneOf(let versions): versions.contains(version)
        }
    }

    static func mismatch(_ version: Int64) -> Problem {
        Problem(
            ClientError(
                .failedPrecondition,
                "the job has version \(version), which If-Match does not list; read the job again",
                reason: .versionMismatch
            )
        )
    }
}

/// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), with or without the quotes of a structured field.
enum IdempotencyKey {
    static func read(_ headers: HTTPFields) throws(Problem) -> String? {
        let lines = headers[values: .idempotencyKey]
        guard let line = lines.first else { return nil }
        guard lines.count == 1 else {
            throw .invalid("Idempotency-Key", "is given \(lines.count) times; send it once")
        }
        guard line.count >= 2, line.hasPrefix("\""), line.hasSuffix("\"") else { return line }
        return String(line.dropFirst().dropLast())
    }

    /// A digest of the request: the path, and the body without whitespace and member order.
    static func fingerprint(_ path: String, _ body: [JSONValue.Member]) -> String {
        let bytes = Array(path.utf8) + [0] + JSONText.bytes(of: canonical(.object(body)))
        let digits = Array("0123456789abcdef".utf8)
        let text = SHA256.digest(of: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    private static func canonical(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members):
            .object(members.map { .init($0.name, canonical($0.value)) }.sorted { $0.name < $1.name })
        case .array(let values): .array(values.map(canonical))
        default: value
        }
    }
}
