/// All that a file is checked against: types, and the other files.
struct ViewWorld: Sendable {
    var pages: [String: ViewRecordType] = [:]
    var records: [String: ViewRecordType] = [:]
    let chrome: ViewRecordType
    var signatures: [String: ViewSignature] = [:]
    /// Names that two record types share.
    var ambiguous: Set<String> = []

    init(pages: [any ViewPage.Type], records: [any ViewRecord.Type], chrome: any ViewRecord.Type) {
        self.chrome = ViewRecordType(chrome)
        for page in pages { self.pages[page.viewType] = ViewRecordType(page) }
        var waiting: [ViewRecordType] = (pages.map { $0 as any ViewRecord.Type } + records + [chrome]).map(
            ViewRecordType.init)
        while let next = waiting.popLast() {
            if let known = self.records[next.name] {
                if known != next { ambiguous.insert(next.name) }
                continue
            }
            self.records[next.name] = next
            for field in next.shape.fields {
                switch field.type.kind {
                case .record(let child), .list(let child): waiting.append(child)
                default: break
                }
            }
        }
    }

    /// Whether a file has to fill the main block of its layout.
    func required(of file: ViewFile) -> Bool { file.page != nil }

    /// Declares a file: its parameters and slots. Returns what is wrong with them.
    mutating func declare(_ file: ViewFile) -> [TemplateError] {
        var errors: [TemplateError] = []
        var signature = ViewSignature()
        signature.isPage = file.page != nil
        if signature.isPage, let first = file.parameters.first {
            errors.append(TemplateError("a page has fields, not parameters", at: first.offset, in: file.source))
        }
        for parameter in file.parameters {
            let binding: Int = 2 + signature.parameters.count
            do throws(TemplateError) {
                signature.parameters.append(try resolve(parameter, binding: binding, file))
            } catch {
                signature.unresolved.insert(parameter.name)
                errors.append(error)
            }
        }
        Self.collectSlots(file.body, into: &signature.slots)
        signatures[file.name] = signature
        return errors
    }

    private func resolve(
        _ parameter: ViewParameter, binding: Int, _ file: ViewFile
    ) throws(TemplateError) -> ViewSignature.Parameter {
        let kind: ViewKind
        if parameter.isList, parameter.typeName == "text" {
            kind = .texts
        } else if !parameter.isList, let scalar = ViewKind.scalars[parameter.typeName] {
            kind = scalar
        } else if let record = records[parameter.typeName] {
            if ambiguous.contains(parameter.typeName) {
                throw TemplateError(
                    "two record types are called \(parameter.typeName)", at: parameter.offset, in: file.source)
            }
            kind = parameter.isList ? .list(record) : .record(record)
        } else {
            let names: [String] = records.keys.sorted() + (parameter.isList ? [] : ViewKind.scalars.keys.sorted())
            let hint: String = ViewHint.meant(parameter.typeName, among: names)
            throw TemplateError("unknown type '\(parameter.typeName)'\(hint)", at: parameter.offset, in: file.source)
        }
        let type = ViewType(kind, optional: parameter.isOptional)
        var fallback: ViewConstant?
        if let written = parameter.fallback {
            guard let (constant, given) = Self.constant(written),
                given.fits(type) || (kind == .link && given.kind == .text)
            else {
                throw TemplateError(
                    "the default of '\(parameter.name)' is not \(type.present.phrase)", at: parameter.offset,
                    in: file.source)
            }
            fallback = constant
        }
        return ViewSignature.Parameter(name: parameter.name, binding: binding, type: type, fallback: fallback)
    }

    private static func constant(_ expression: Expression) -> (ViewConstant, ViewType)? {
        switch expression {
        case .string(let text): (.text(text), ViewType(.text))
        case .integer(let number): (.number(number), ViewType(.number))
        case .double(let number): (.decimal(number), ViewType(.decimal))
        case .bool(let flag): (.flag(flag), ViewType(.flag))
        default: nil
        }
    }

    private static func collectSlots(_ nodes: [ViewNode], into slots: inout Set<String>) {
        for node in nodes {
            switch node {
            case .yield(let name, _): slots.insert(name)
            case .branch(let branches, _): for branch in branches { collectSlots(branch.body, into: &slots) }
            case .loop(let loop): collectSlots(loop.body + loop.otherwise, into: &slots)
            case .block(_, let inner, _), .fragment(_, let inner, _), .slot(_, let inner, _):
                collectSlots(inner, into: &slots)
            case .render(let call): for inner in call.slots.values { collectSlots(inner, into: &slots) }
            case .text, .markup, .output, .content: break
            }
        }
    }
}
