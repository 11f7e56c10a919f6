package import CarillonCore

extension ClientError {
    /// An error for one or several invalid fields.
    package init(invalidFields errors: [FieldError]) {
        self.init(.invalidArgument, ClientError.summary(of: errors), errors: errors)
    }

    /// The error text for these fields.
    package static func summary(of errors: [FieldError]) -> String {
        guard errors.count != 1 else { return "\(errors[0].field): \(errors[0].message)" }
        let count = errors.count < maxFieldErrors ? "\(errors.count)" : "\(errors.count) or more"
        return "\(count) fields are invalid: \(errors.map(\.field).joined(separator: ", "))"
    }
}
