package import CarillonCore

extension ClientError {
    /// One or several fields that are wrong.
    package init(invalidFields errors: [FieldError]) {
        self.init(.invalidArgument, ClientError.summary(of: errors), errors: errors)
    }

    /// The text of an error about these fields.
    package static func summary(of errors: [FieldError]) -> String {
        guard errors.count != 1 else { return "\(errors[0].field): \(errors[0].message)" }
        let count = errors.count < maxFieldErrors ? "\(errors.count)" : "\(errors.count) or more"
        return "\(count) fields are wrong: \(errors.map(\.field).joined(separator: ", "))"
    }
}
