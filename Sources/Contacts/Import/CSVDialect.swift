import Core

/// How a file separates its cells, and whether its first row names the columns.
struct CSVDialect: Sendable, Equatable {
    let delimiter: UInt8
    let hasHeader: Bool

    static let delimiters: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|")]

    /// Reads the beginning of a file with each delimiter in turn and takes the one that makes the most even table.
    static func detect(_ head: [UInt8]) -> CSVDialect {
        var best: (delimiter: UInt8, score: Double) = (delimiters[0], 0)
        for delimiter in delimiters {
            let widths: [Int] = rows(head, delimiter: delimiter, limit: 50).map(\.count)
            guard let first = widths.first, first > 1 else { continue }
            let even: Int = widths.count { $0 == first }
            let score: Double = Double(even) / Double(widths.count) * 10 + Double(min(first, 50)) / 50
            if score > best.score { best = (delimiter, score) }
        }
        let first: [String] = rows(head, delimiter: best.delimiter, limit: 1).first ?? []
        return CSVDialect(delimiter: best.delimiter, hasHeader: isHeader(first))
    }

    /// The first rows as text.
    static func rows(_ head: [UInt8], delimiter: UInt8, limit: Int) -> [[String]] {
        var reader = CSVReader(source: MemorySource(head), delimiter: delimiter)
        var rows: [[String]] = []
        while rows.count < limit, (try? reader.next()) == true { rows.append(reader.record.texts) }
        return rows
    }

    /// A row with an address or a phone number in it is a person, not a heading.
    static func isHeader(_ cells: [String]) -> Bool {
        !cells.contains { cell in
            cell.contains("@") || (cell.utf8.count { $0 >= 0x30 && $0 <= 0x39 } >= 7)
        }
    }
}

/// What a column of a file becomes.
package enum ColumnTarget: Hashable, Sendable {
    case ignore, email, phone, firstName, lastName, fullName, tags, companyName, companyDomain
    case property(String)

    /// The form that selects and stored options use.
    package init?(_ text: String) {
        switch text {
        case "ignore", "": self = .ignore
        case "email": self = .email
        case "phone": self = .phone
        case "firstName": self = .firstName
        case "lastName": self = .lastName
        case "fullName": self = .fullName
        case "tags": self = .tags
        case "companyName": self = .companyName
        case "companyDomain": self = .companyDomain
        default:
            guard text.hasPrefix("property:"), let name = PropertyName(text.dropFirst(9)) else { return nil }
            self = .property(name.text)
        }
    }

    package var text: String {
        switch self {
        case .ignore: "ignore"
        case .email: "email"
        case .phone: "phone"
        case .firstName: "firstName"
        case .lastName: "lastName"
        case .fullName: "fullName"
        case .tags: "tags"
        case .companyName: "companyName"
        case .companyDomain: "companyDomain"
        case .property(let name): "property:\(name)"
        }
    }
}

extension ColumnTarget: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let target = ColumnTarget(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "No such column target")
        }
        self = target
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// The name of a property: up to 60 characters, none of them a control, as templates and filters will say it.
struct PropertyName: Sendable, Hashable {
    let text: String

    init?(_ name: some StringProtocol) {
        if name.isPlainASCII, !name.utf8.contains(UInt8(ascii: " ")), (1...60).contains(name.utf8.count) {
            text = String(name)
            return
        }
        let words = name.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !words.isEmpty, words.count <= 60 else { return nil }
        guard !words.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return nil }
        text = words
    }

    /// A column's heading as a property name that templates can say without quotes: `Last Order Date` → `last_order_date`.
    init?(heading: String) {
        var name: String = ""
        for character in heading.lowercased() {
            if character.isLetter || character.isNumber {
                name.append(character)
            } else if !name.isEmpty, name.last != "_" {
                name.append("_")
            }
        }
        while name.last == "_" { name.removeLast() }
        self.init(name.prefix(60))
    }
}

/// Guesses what the columns are from their headings and, where those say nothing, from what stands in them.
enum ColumnGuess {
    static func targets(header: [String]?, samples: [[String]]) -> [ColumnTarget] {
        // A row that is longer than the headings is a broken row, not a column more.
        let width: Int = header?.count ?? samples.map(\.count).max() ?? 0
        var taken: Set<ColumnTarget> = []
        var targets: [ColumnTarget] = []
        for column in 0..<min(width, CSVReader.maximumColumns) {
            let heading: String = header.flatMap { column < $0.count ? $0[column] : nil } ?? ""
            let cells: [String] = samples.compactMap { column < $0.count ? $0[column] : nil }.filter { !$0.isEmpty }
            var target: ColumnTarget = known(heading) ?? byContent(cells, heading: heading)
            if taken.contains(target), target != .ignore { target = property(heading, column) }
            if taken.contains(target) { target = .ignore }
            taken.insert(target)
            targets.append(target)
        }
        return targets
    }

    private static func property(_ heading: String, _ column: Int) -> ColumnTarget {
        guard let name = PropertyName(heading: heading) else { return .ignore }
        return .property(name.text)
    }

    private static func byContent(_ cells: [String], heading: String) -> ColumnTarget {
        if !cells.isEmpty {
            let addresses: Int = cells.count { (try? EmailAddress(parsing: $0)) != nil }
            if addresses * 2 > cells.count { return .email }
            if heading.isEmpty {
                let phones: Int = cells.count { (try? PhoneNumber(parsing: $0)) != nil }
                if phones * 2 > cells.count { return .phone }
            }
        }
        return property(heading, 0)
    }

    private static func known(_ heading: String) -> ColumnTarget? {
        let plain: String = String(heading.lowercased().unicodeScalars.filter { $0.properties.isAlphabetic })
        return names[plain]
    }

    private static let names: [String: ColumnTarget] = {
        let words: [(ColumnTarget, String)] = [
            (
                .email,
                "email emailaddress mail mailaddress emailadresse eposta correo correoelectronico adresseemail "
                    + "adressemail courriel posta indirizzoemail emailadres primaryemail workemail useremail subscriberemail"
            ),
            (
                .phone,
                "phone phonenumber telephone tel mobile mobilephone mobilenumber cell cellphone telefon handy "
                    + "telefonnummer telefono téléphone portable móvil movil celular sms phonee primaryphone"
            ),
            (.firstName, "firstname first givenname forename fname vorname prénom prenom nombre nome voornaam förnamn"),
            (
                .lastName,
                "lastname last surname familyname lname nachname nom nomdefamille apellido apellidos cognome "
                    + "achternaam efternamn sobrenome secondname"
            ),
            (
                .fullName,
                "name fullname contact contactname nombrecompleto nomcomplet displayname person customer "
                    + "customername"
            ),
            (.tags, "tags tag labels label etiquetas schlagworte"),
            (
                .companyName,
                "company companyname organization organisation organizationname employer firma unternehmen société "
                    + "societe entreprise empresa azienda bedrijf företag"
            ),
            (.companyDomain, "companydomain companywebsite companyurl domain"),
            (.ignore, "id uuid rownumber contactid subscriberid"),
        ]
        var names: [String: ColumnTarget] = [:]
        for (target, list) in words {
            for word in list.split(separator: " ") { names[String(word)] = target }
        }
        return names
    }()
}
