/// Why a row of a batch failed, for people: what is stored and what the API answers begins with the place in the JSON that was
/// sent (`contact.firstName: Give a text.`).
enum SyncReason {
    private static let labels: [String: String] = [
        "email": "E-mail", "phone": "Phone", "firstName": "First name", "lastName": "Last name", "companyId": "Company",
        "companyName": "Company", "sourceId": "Id of the record", "sourceType": "Kind of record", "externalId": "Id",
        "emailStatus": "E-mail status", "consentBasis": "Consent", "occurredAt": "Time",
    ]

    /// “First name: Give a text.” A reason without a place stays as it is.
    static func words(_ reason: String) -> String {
        guard let colon = reason.firstIndex(of: ":"), reason[colon...].hasPrefix(": ") else { return reason }
        let place: Substring = reason[..<colon]
        let isPlace: Bool = place.allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber || ".[]/_-".contains($0))
        }
        guard isPlace, !place.isEmpty, let label = label(place) else { return reason }
        return label + reason[colon...]
    }

    private static func label(_ place: Substring) -> String? {
        let parts: [Substring] = place.split { ".[]/".contains($0) }.filter { Int($0) == nil }
        guard let last = parts.last else { return nil }
        if parts.count > 1, parts[parts.count - 2] == "properties" { return "Property “\(last)”" }
        if let known = labels[String(last)] { return known }
        var words: String = ""
        for character in last {
            if character == "_" || character == "-" {
                words.append(" ")
            } else if character.isUppercase {
                words += " " + character.lowercased()
            } else {
                words.append(character)
            }
        }
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}
