import Testing

@testable import Contacts

@Suite("Reading CSV")
struct CSVReaderTests {
    private func rows(_ text: String, delimiter: Character = ",", block: Int = 64 * 1024) throws -> [[String]] {
        var reader = CSVReader(
            source: MemorySource(Array(text.utf8), block: block), delimiter: delimiter.asciiValue ?? 44)
        var rows: [[String]] = []
        while try reader.next() { rows.append(reader.record.texts) }
        return rows
    }

    @Test(
        "Cells, quotes and line ends as they come",
        arguments: [
            ("a,b\r\nc,d\r\n", [["a", "b"], ["c", "d"]]), ("a,b\nc,d", [["a", "b"], ["c", "d"]]),
            ("a,b\rc,d\r", [["a", "b"], ["c", "d"]]), ("\"a,b\",c\n", [["a,b", "c"]]),
            ("\"a\nb\",c\n", [["a\nb", "c"]]), ("\"a\r\nb\",c\r\n", [["a\r\nb", "c"]]),
            ("\"he said \"\"hi\"\"\",x\n", [["he said \"hi\"", "x"]]), ("a,,\n", [["a", "", ""]]),
            ("a,b,", [["a", "b", ""]]), ("\n\na\n\n\nb\n", [["a"], ["b"]]), ("a\"b\",c\n", [["a\"b\"", "c"]]),
            ("\"a\"b,c\n", [["ab", "c"]]), ("\"\",x\n", [["", "x"]]), ("\u{FEFF}a,b\n", [["a", "b"]]), ("", []),
            ("\n", []), (" a , b \n", [[" a ", " b "]]), ("a,b\n\"c\",\"d\"", [["a", "b"], ["c", "d"]]),
        ] as [(String, [[String]])])
    func table(text: String, expected: [[String]]) throws {
        #expect(try rows(text) == expected)
        // The same in small blocks, so that every cut between blocks is tried.
        #expect(try rows(text, block: 4) == expected)
        #expect(try rows(text, block: 3) == expected)
    }

    @Test("An open quote spoils its line only")
    func openQuote() throws {
        let text = "email,name\na@b.co,\"Ana\nb@b.co,Bo\nc@b.co,Cy\n"
        for block in [3, 7, 1000] {
            var reader = CSVReader(source: MemorySource(Array(text.utf8), block: block), delimiter: UInt8(ascii: ","))
            var flaws: [CSVRecord.Flaw?] = []
            while try reader.next() { flaws.append(reader.record.flaw) }
            #expect(flaws == [nil, .openQuote, nil, nil])
            #expect(reader.offset == text.utf8.count)
        }
    }

    @Test("Empty lines are counted, also where a line end is cut in two", arguments: [3, 4, 5, 100])
    func blankLines(block: Int) throws {
        let text = "a,b\r\n\r\n\r\nc\r\nd\n\ne"
        var reader = CSVReader(source: MemorySource(Array(text.utf8), block: block), delimiter: UInt8(ascii: ","))
        var rows: [Int] = []
        var row = 0
        while try reader.next() {
            row += 1 + reader.blankLines
            rows.append(row)
        }
        #expect(rows == [1, 4, 5, 7])
    }

    @Test("A field of 10 MB is refused without being kept", arguments: [true, false])
    func hugeField(quoted: Bool) throws {
        let mark = quoted ? "\"" : ""
        var bytes = Array("a@b.co,\(mark)".utf8)
        bytes += [UInt8](repeating: UInt8(ascii: "x"), count: 10_000_000)
        bytes += Array("\(mark)\nb@b.co,Bo\n".utf8)
        var reader = CSVReader(source: MemorySource(bytes), delimiter: UInt8(ascii: ","))
        #expect(try reader.next())
        #expect(reader.record.flaw != nil)
        #expect(reader.record.bytes.count < 200_000)
        #expect(try reader.next())
        #expect(reader.record.texts == ["b@b.co", "Bo"])
        #expect(reader.offset == bytes.count)
    }

    @Test("More than 200 columns are a flaw of the row")
    func columns() throws {
        let text = Array(repeating: "x", count: 300).joined(separator: ",") + "\na,b\n"
        var reader = CSVReader(source: MemorySource(Array(text.utf8)), delimiter: UInt8(ascii: ","))
        #expect(try reader.next())
        #expect(reader.record.flaw == .tooManyColumns)
        #expect(try reader.next())
        #expect(reader.record.texts == ["a", "b"])
    }

    @Test("The offset is where the next record begins, so that reading can go on there")
    func offsets() throws {
        let text = "a,b\r\n\"c\nd\",e\n\n\nf,g"
        let bytes = Array(text.utf8)
        for block in [3, 4, 100] {
            var reader = CSVReader(source: MemorySource(bytes, block: block), delimiter: UInt8(ascii: ","))
            _ = try reader.next()
            _ = try reader.next()
            var second = CSVReader(
                source: MemorySource(Array(bytes[reader.offset...]), block: block), delimiter: UInt8(ascii: ","),
                offset: reader.offset)
            #expect(try second.next())
            #expect(second.record.texts == ["f", "g"])
            #expect(second.offset == bytes.count)
        }
    }

    @Test(
        "The delimiter and the heading are found",
        arguments: [
            ("email,name\na@b.co,Ana\n", ",", true), ("email;name\na@b.co;Ruiz, Ana\n", ";", true),
            ("email\tname\na@b.co\tAna\n", "\t", true), ("email|name\na@b.co|Ana\n", "|", true),
            ("a@b.co,Ana\nb@b.co,Bo\n", ",", false), ("email\na@b.co\n", ",", true),
        ] as [(String, Character, Bool)])
    func dialect(text: String, delimiter: Character, hasHeader: Bool) {
        let dialect = CSVDialect.detect(Array(text.utf8))
        #expect(dialect.delimiter == delimiter.asciiValue)
        #expect(dialect.hasHeader == hasHeader)
    }

    @Test("Columns are guessed by heading and by content")
    func guesses() {
        let samples = [["1", "a@b.co", "Ana", "Ruiz", "+14155552671", "pro", "x"]]
        let header = ["ID", "E-Mail Address", "First Name", "Last name", "Mobile", "Plan Name", ""]
        #expect(
            ColumnGuess.targets(header: header, samples: samples) == [
                .ignore, .email, .firstName, .lastName, .phone, .property("plan_name"), .ignore,
            ])
        #expect(ColumnGuess.targets(header: nil, samples: samples)[1] == .email)
        #expect(ColumnGuess.targets(header: nil, samples: samples)[4] == .phone)
        #expect(
            ColumnGuess.targets(header: ["Vorname", "Nachname", "Adresse"], samples: [["A", "B", "c@d.de"]])[2]
                == .email)
        #expect(ColumnGuess.targets(header: ["email", "email"], samples: []) == [.email, .property("email")])
    }
}
