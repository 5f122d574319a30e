import Core
import FoundationEssentials
import Templates
import Web

/// One line of a person's file: what it is, and what is known.
struct PersonalDataLine: ViewRecord, Equatable {
    let label: String
    let value: String

    static let fields = Fields<PersonalDataLine> { f in
        f.text("label") { $0.label }
        f.text("value") { $0.value }
    }
}

/// One record of a person's file, such as a note.
struct PersonalDataEntry: ViewRecord {
    let lines: [PersonalDataLine]

    static let fields = Fields<PersonalDataEntry> { f in f.list("lines", of: PersonalDataLine.self) { $0.lines } }
}

/// What is kept of one kind about a person.
struct PersonalDataSection: ViewRecord {
    let title: String
    let entries: [PersonalDataEntry]
    let isComplete: Bool

    static let fields = Fields<PersonalDataSection> { f in
        f.text("title") { $0.title }
        f.list("entries", of: PersonalDataEntry.self) { $0.entries }
        f.flag("isComplete") { $0.isComplete }
    }
}

/// The readable form of a person's data: one file that needs nothing else. What a machine wants, ids included, stands in
/// the JSON beside it.
struct PersonalDataPage: ViewPage {
    let holder: String
    let madeAt: Date
    let contact: [PersonalDataLine]
    let standing: [PersonalDataLine]
    let sections: [PersonalDataSection]

    static let view = "contacts/personal-data"
    static let fields = Fields<PersonalDataPage> { f in
        f.text("holder") { $0.holder }
        f.date("madeAt") { $0.madeAt }
        f.list("contact", of: PersonalDataLine.self) { $0.contact }
        f.list("standing", of: PersonalDataLine.self) { $0.standing }
        f.list("sections", of: PersonalDataSection.self) { $0.sections }
    }

    init(_ document: PersonalData.Document, _ words: PersonalDataWords) {
        holder = document.workspace
        madeAt = document.madeAt
        contact = words.lines(document.contact)
        standing = ConsentChannel.allCases.map { channel in
            let answer: Bool? = document.standing[channel.rawValue] ?? nil
            return PersonalDataLine(
                label: channel.words, value: answer.map { $0 ? "You agreed" : "You refused" } ?? "Never asked")
        }
        sections = document.sections.map { section in
            PersonalDataSection(
                title: section.title,
                entries: section.rows.map { PersonalDataEntry(lines: words.lines($0)) }.filter { !$0.lines.isEmpty },
                isComplete: section.isComplete)
        }
    }

    static var previews: [PersonalDataPage] {
        let row: JSONValue = .object([
            "body": .string("Met at the fair"), "created_at": .string("2026-01-15T09:30:00Z"),
        ])
        let document = PersonalData.Document(
            format: "person-export/1", workspace: "Acme", madeAt: PreviewPeople.day, contactId: PreviewPeople.ana.id,
            contact: .object(["first_name": .string("Ana"), "tags": .array([.string("vip")])]),
            standing: ["email": true, "sms": false],
            sections: [
                PersonalData.Section(table: "a", title: "Notes", rows: [row], isComplete: false),
                PersonalData.Section(table: "b", title: "Tasks", rows: [], isComplete: true),
            ], left: [])
        return [PersonalDataPage(document, PersonalDataWords())]
    }
}
