import Core
import FoundationEssentials
import Web

/// Turns records of a file into an `ImportChunk`: checks cells, drops what cannot be imported with the reason, merges
/// rows about the same person.
///
/// A later row about a person who stands in the chunk already counts as a row about an existing person: with `update`
/// its cells win, with `fill` they fill blanks, with `skip` they are passed over. So a file has the same outcome as if
/// its rows were imported one by one.
struct ImportChunkBuilder {
    /// A run of bytes in `arena`; a length of -1 says that there is none.
    private struct Run {
        var start: Int32 = 0
        var count: Int32 = -1
        var isAbsent: Bool { count <= 0 }
    }

    private struct Person {
        var key = Run()
        var email = Run()
        var phone = Run()
        var firstName = Run()
        var lastName = Run()
        var tags = Run()
        var unreadPhone = Run()
        var companyName = Run()
        var companyDomain = Run()
    }

    private let options: ImportOptions
    private let rowsPerChunk: Int
    private let propertyOpenings: [[UInt8]]
    /// How each property column is checked.
    private let checks: [PropertyValue]
    private let labels: [String]
    private var ids: AscendingIDs
    private let width: Int

    private var arena: [UInt8] = []
    private var people: [Person] = []
    private var cells: [Run] = []
    private var seen: [UInt64: Int32] = [:]
    private var chunk: ImportChunk
    // The record under way.
    private var person = Person()
    private var values: [Run] = []

    /// - Parameter properties: what is known of the property columns by name; the others hold texts.
    init(
        options: ImportOptions, rowsPerChunk: Int, properties: [String: PropertyDefinition] = [:], seed: UInt64
    ) {
        self.options = options
        self.rowsPerChunk = rowsPerChunk
        ids = AscendingIDs(seed: seed)
        let names: [String] = options.properties.map(\.name)
        checks = names.map { properties[$0]?.value ?? PropertyValue(type: .text) }
        labels = names.map { properties[$0]?.label ?? $0 }
        let types: [PropertyType] = checks.map(\.type) + [.text]
        propertyOpenings = zip(names + [Self.unreadPhoneProperty], types).map { name, type in
            var opening: [UInt8] = [UInt8(ascii: "\"")]
            JSONText.append(Array(name.utf8)[...], to: &opening)
            return opening + Array((type.isPlainText ? "\":\"" : "\":").utf8)
        }
        width = names.count
        chunk = ImportChunk(number: 0)
        values = Array(repeating: Run(), count: names.count)
    }

    /// Where a number that could not be read is kept, so that nothing of a file is lost.
    static let unreadPhoneProperty: String = "phone_as_written"

    mutating func begin(number: Int, at date: Date) {
        arena.removeAll(keepingCapacity: true)
        people.removeAll(keepingCapacity: true)
        cells.removeAll(keepingCapacity: true)
        seen.removeAll(keepingCapacity: true)
        chunk = ImportChunk(number: number)
        ids.begin(at: date)
    }

    var isFull: Bool { chunk.rowCount == rowsPerChunk }
    var isEmpty: Bool { chunk.rowCount == 0 }

    mutating func add(_ record: CSVRecord, row: Int) {
        chunk.rowCount += 1
        let mark: Int = arena.count
        if let reason = read(record) {
            arena.removeLast(arena.count - mark)
            chunk.failures.append(
                ImportFailure(row: row, reason: reason, line: CSVWriter.line(record.texts, limit: 4096)))
            return
        }
        // The address is the identity; without one the phone number is. A line feed cannot stand in either.
        let identity: Run = person.key.isAbsent ? person.phone : person.key
        let hash: UInt64 = hash(identity)
        if let earlier = seen[hash], same(people[Int(earlier)], identity) {
            merge(into: Int(earlier))
            chunk.repeatCount += 1
            return
        }
        if person.key.isAbsent { chunk.hasPeopleWithoutEmail = true }
        seen[hash] = Int32(people.count)
        people.append(person)
        cells.append(contentsOf: values)
    }

    private func hash(_ run: Run) -> UInt64 {
        var hasher = Hasher()
        arena.withUnsafeBytes { bytes in
            hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: bytes[Int(run.start)..<Int(run.start + run.count)]))
        }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    private func same(_ other: Person, _ identity: Run) -> Bool {
        let run: Run = other.key.isAbsent ? other.phone : other.key
        guard run.count == identity.count else { return false }
        return arena[Int(run.start)..<Int(run.start + run.count)]
            .elementsEqual(arena[Int(identity.start)..<Int(identity.start + identity.count)])
    }

    private mutating func merge(into index: Int) {
        guard options.onExisting != .skip else { return }
        let wins: Bool = options.onExisting == .update
        func choose(_ old: Run, _ new: Run) -> Run {
            if new.isAbsent { return old }
            return wins || old.isAbsent ? new : old
        }
        people[index].phone = choose(people[index].phone, person.phone)
        people[index].firstName = choose(people[index].firstName, person.firstName)
        people[index].lastName = choose(people[index].lastName, person.lastName)
        people[index].tags = choose(people[index].tags, person.tags)
        people[index].unreadPhone = choose(people[index].unreadPhone, person.unreadPhone)
        people[index].companyName = choose(people[index].companyName, person.companyName)
        people[index].companyDomain = choose(people[index].companyDomain, person.companyDomain)
        for column in 0..<width {
            cells[index * width + column] = choose(cells[index * width + column], values[column])
        }
    }
}

// Reading one record. Each function answers the reason why the row cannot be imported, or nil.
extension ImportChunkBuilder {
    private mutating func read(_ record: CSVRecord) -> String? {
        switch record.flaw {
        case .openQuote: return "A quotation mark opens and never closes."
        case .cellTooLong: return "A cell is longer than 64 KB."
        case .tooManyColumns: return "The row has more than \(CSVReader.maximumColumns) cells."
        case nil: break
        }
        person = Person()
        for column in 0..<width { values[column] = Run() }
        var property: Int = 0
        for (column, target) in options.columns.enumerated() {
            let isProperty: Bool
            if case .property = target { isProperty = true } else { isProperty = false }
            defer { if isProperty { property += 1 } }
            guard column < record.cellCount, target != .ignore else { continue }
            let range: Range<Int> = Self.trimmed(record.bytes, record.range(column))
            guard !range.isEmpty else { continue }
            if let reason = take(record.bytes, range, as: target, property: property) { return reason }
        }
        if record.cellCount > options.columns.count {
            for column in options.columns.count..<record.cellCount
            where !Self.trimmed(record.bytes, record.range(column)).isEmpty {
                return "The row has more cells than there are columns; a cell with a comma may lack its quotes."
            }
        }
        if person.key.isAbsent, person.phone.isAbsent {
            return person.unreadPhone.isAbsent
                ? "The row has neither an e-mail address nor a phone number."
                : "The row has no e-mail address, and its phone number cannot be read."
        }
        return nil
    }

    private mutating func take(_ bytes: [UInt8], _ range: Range<Int>, as target: ColumnTarget, property: Int) -> String?
    {
        switch target {
        case .ignore: return nil
        case .email: return takeEmail(bytes, range)
        case .phone:
            takePhone(bytes, range)
            return nil
        case .firstName: return takeName(bytes, range, \.firstName, "first name")
        case .lastName: return takeName(bytes, range, \.lastName, "last name")
        case .fullName: return takeFullName(bytes, range)
        case .tags:
            person.tags = keepVisible(bytes, range)
            return nil
        case .companyName: return takeCompanyName(bytes, range)
        case .companyDomain:
            takeCompanyDomain(bytes, range)
            return nil
        case .property: return takeProperty(bytes, range, property)
        }
    }

    private mutating func keep(_ bytes: [UInt8], _ range: Range<Int>) -> Run {
        let start: Int = arena.count
        arena.append(contentsOf: bytes[range])
        return Run(start: Int32(start), count: Int32(range.count))
    }

    /// Without what nobody can see.
    private mutating func keepVisible(_ bytes: [UInt8], _ range: Range<Int>) -> Run {
        guard InvisibleText.mayStand(in: bytes[range]) else { return keep(bytes, range) }
        return keep(String(decoding: bytes[range], as: UTF8.self).trimmed)
    }

    private mutating func keep(_ text: String) -> Run {
        let start: Int = arena.count
        arena.append(contentsOf: text.utf8)
        return Run(start: Int32(start), count: Int32(arena.count - start))
    }

    private mutating func takeEmail(_ bytes: [UInt8], _ range: Range<Int>) -> String? {
        let start: Int = arena.count
        let isPlain: Bool = bytes.withUnsafeBufferPointer { pointer in
            EmailSyntax.appendPlainKey(of: UnsafeBufferPointer(rebasing: pointer[range]), to: &arena)
        }
        if isPlain {
            person.key = Run(start: Int32(start), count: Int32(arena.count - start))
            if !arena[start...].elementsEqual(bytes[range]) { person.email = keep(bytes, range) }
            return nil
        }
        do throws(EmailAddress.Flaw) {
            let address = try EmailAddress(parsing: String(decoding: bytes[range], as: UTF8.self))
            person.key = keep(address.key)
            if address.description != address.key { person.email = keep(address.description) }
            return nil
        } catch {
            return error.message
        }
    }

    private mutating func takePhone(_ bytes: [UInt8], _ range: Range<Int>) {
        let text = String(decoding: bytes[range], as: UTF8.self)
        if let number = try? PhoneNumber(parsing: text, defaultRegion: options.region) {
            person.phone = keep(number.e164)
        } else {
            person.unreadPhone = keep(bytes, range)
        }
    }

    private mutating func takeName(
        _ bytes: [UInt8], _ range: Range<Int>, _ path: WritableKeyPath<Person, Run>, _ words: String
    ) -> String? {
        if range.count > 200, String(decoding: bytes[range], as: UTF8.self).count > 200 {
            return "The \(words) is longer than 200 characters."
        }
        person[keyPath: path] = keepVisible(bytes, range)
        // Line ends and other control characters have no place in a name.
        let run: Run = person[keyPath: path]
        for index in Int(run.start)..<Int(run.start + run.count) where arena[index] < 0x20 { arena[index] = 0x20 }
        return nil
    }

    private mutating func takeCompanyName(_ bytes: [UInt8], _ range: Range<Int>) -> String? {
        takeName(bytes, range, \.companyName, "company’s name")
    }

    /// A web address stands for its domain; what is no domain, or is everybody's, says nothing.
    private mutating func takeCompanyDomain(_ bytes: [UInt8], _ range: Range<Int>) {
        guard let domain = CompanyDomain(String(decoding: bytes[range], as: UTF8.self)), !domain.isFreeMail else {
            return
        }
        person.companyDomain = keep(domain.text)
    }

    /// The cell as its property holds it: plain texts as they are, everything else as JSON.
    private mutating func takeProperty(_ bytes: [UInt8], _ range: Range<Int>, _ property: Int) -> String? {
        let check: PropertyValue = checks[property]
        if check.type.isPlainText {
            let limit: Int = check.type == .text ? 1000 : 20_000
            if range.count > limit, String(decoding: bytes[range], as: UTF8.self).count > limit {
                return "\(labels[property]): This is longer than \(limit) characters."
            }
            values[property] = keep(bytes, range)
            guard check.type == .text else { return nil }
            let run: Run = values[property]
            for index in Int(run.start)..<Int(run.start + run.count) where arena[index] < 0x20 { arena[index] = 0x20 }
            return nil
        }
        if check.type == .number, Self.isPlainNumber(bytes, range) {
            values[property] = keep(bytes, range)
            return nil
        }
        do throws(PropertyValue.Flaw) {
            let value: JSONValue = try check.normalized(.string(String(decoding: bytes[range], as: UTF8.self)))
            let start: Int = arena.count
            JSONText.append(value, to: &arena)
            values[property] = Run(start: Int32(start), count: Int32(arena.count - start))
            return nil
        } catch {
            return "\(labels[property]): \(error.message)"
        }
    }

    /// Digits that are a number of JSON as they stand.
    private static func isPlainNumber(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard range.count <= 15, bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        return range.count == 1 || bytes[range.lowerBound] != 0x30
    }

    /// `Ana Ruiz` and `Ruiz, Ana`: the last word, or what stands before the comma, is the last name.
    private mutating func takeFullName(_ bytes: [UInt8], _ range: Range<Int>) -> String? {
        let cell: ArraySlice<UInt8> = bytes[range]
        let first: Range<Int>
        let last: Range<Int>
        if let comma = cell.firstIndex(of: UInt8(ascii: ",")) {
            last = range.lowerBound..<comma
            first = (comma + 1)..<range.upperBound
        } else if let space = cell.lastIndex(of: 0x20) {
            first = range.lowerBound..<space
            last = (space + 1)..<range.upperBound
        } else {
            first = range
            last = range.upperBound..<range.upperBound
        }
        let (given, family) = (Self.trimmed(bytes, first), Self.trimmed(bytes, last))
        if !given.isEmpty, person.firstName.isAbsent, let reason = takeName(bytes, given, \.firstName, "first name") {
            return reason
        }
        if !family.isEmpty, person.lastName.isAbsent { return takeName(bytes, family, \.lastName, "last name") }
        return nil
    }

    /// Without the white space around it, and without the apostrophe that exports put before what a spreadsheet would
    /// take for a formula.
    private static func trimmed(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        bytes.withUnsafeBufferPointer { bytes in
            while start < end, bytes[start] <= 0x20 { start += 1 }
            while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
            // No-break spaces come with spreadsheets.
            while end - start >= 2, bytes[start] == 0xC2, bytes[start + 1] == 0xA0 { start += 2 }
            while end - start >= 2, bytes[end - 2] == 0xC2, bytes[end - 1] == 0xA0 { end -= 2 }
            if end - start >= 2, bytes[start] == UInt8(ascii: "'"),
                CSVWriter.looksLikeFormula(UnsafeBufferPointer(rebasing: bytes[(start + 1)..<end]))
            {
                start += 1
            }
        }
        return start..<end
    }
}

// Packing.
extension ImportChunkBuilder {
    /// The chunk so far, packed.
    mutating func finish(endOffset: Int, endRow: Int) -> ImportChunk {
        chunk.endOffset = endOffset
        chunk.endRow = endRow
        chunk.personCount = people.count
        chunk.keyHashes = Set(seen.keys)
        arena.withUnsafeBufferPointer { bytes in
            var json: [UInt8] = []
            for index in people.indices {
                let id: ContactID = ids.next()
                if index == 0 { chunk.firstID = id }
                chunk.lastID = id
                chunk.ids.append(id)
                let person: Person = people[index]
                Self.append(person.key, of: bytes, to: &chunk.keys)
                Self.append(person.email, of: bytes, to: &chunk.emails)
                Self.append(person.phone, of: bytes, to: &chunk.phones)
                Self.append(person.firstName, of: bytes, to: &chunk.firstNames)
                Self.append(person.lastName, of: bytes, to: &chunk.lastNames)
                Self.append(person.tags, of: bytes, to: &chunk.tags)
                chunk.append(
                    company: Self.text(person.companyName, bytes), domain: Self.text(person.companyDomain, bytes),
                    places: options.hasCompanies)
                appendProperties(index, person.unreadPhone, bytes, &json)
            }
        }
        return chunk
    }

    private static func text(_ run: Run, _ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        run.isAbsent ? nil : String(decoding: bytes[Int(run.start)..<Int(run.start + run.count)], as: UTF8.self)
    }

    private static func append(_ run: Run, of bytes: UnsafeBufferPointer<UInt8>, to column: inout PackedText) {
        if run.isAbsent {
            column.appendNull()
        } else {
            column.append(UnsafeBufferPointer(rebasing: bytes[Int(run.start)..<Int(run.start + run.count)]))
        }
    }

    private mutating func appendProperties(
        _ index: Int, _ unreadPhone: Run, _ bytes: UnsafeBufferPointer<UInt8>, _ json: inout [UInt8]
    ) {
        json.removeAll(keepingCapacity: true)
        json.append(UInt8(ascii: "{"))
        for column in 0...width {
            let run: Run = column < width ? cells[index * width + column] : unreadPhone
            if run.isAbsent { continue }
            if json.count > 1 { json.append(UInt8(ascii: ",")) }
            json.append(contentsOf: propertyOpenings[column])
            let value = bytes[Int(run.start)..<Int(run.start + run.count)]
            if column < width, !checks[column].type.isPlainText {
                json.append(contentsOf: value)
            } else {
                JSONText.append(value, to: &json)
                json.append(UInt8(ascii: "\""))
            }
        }
        json.append(UInt8(ascii: "}"))
        json.withUnsafeBufferPointer { chunk.properties.append($0) }
    }
}
