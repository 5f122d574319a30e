import FoundationEssentials

/// Writes one value at one place.
enum ViewWriter {
    static func write(_ value: ViewValue, _ escape: ViewEscape, to output: inout [UInt8]) {
        if case .json = escape { return ViewJSON.write(value, to: &output) }
        switch value {
        case .text(let text): ViewEscaping.append(text, escape, to: &output)
        case .number(let number): appendDigits(number, to: &output)
        case .decimal(let number): ViewEscaping.append("\(number)", escape, to: &output)
        case .html(let bytes):
            if case .raw = escape { output.append(contentsOf: bytes) }
        case .flag(let flag): output.append(contentsOf: (flag ? "true" : "false").utf8)
        case .absent, .date, .texts, .record, .list: break
        }
    }

    private static func appendDigits(_ number: Int, to output: inout [UInt8]) {
        output.append(contentsOf: String(number).utf8)
    }
}

/// Values as JSON, for scripts that read data and for nothing else.
enum ViewJSON {
    static func write(_ value: ViewValue, to output: inout [UInt8]) {
        switch value {
        case .absent: output.append(contentsOf: "null".utf8)
        case .text(let text): ViewEscaping.appendJSON(text, to: &output)
        case .number(let number): output.append(contentsOf: String(number).utf8)
        case .decimal(let number): output.append(contentsOf: (number.isFinite ? "\(number)" : "null").utf8)
        case .flag(let flag): output.append(contentsOf: (flag ? "true" : "false").utf8)
        case .date(let date): ViewEscaping.appendJSON(ViewCalendar.iso(date), to: &output)
        case .html(let bytes): ViewEscaping.appendJSON(String(decoding: bytes, as: UTF8.self), to: &output)
        case .texts(let texts): list(texts, to: &output) { ViewEscaping.appendJSON($0, to: &$1) }
        case .list(let rows): list(rows, to: &output) { record($0, to: &$1) }
        case .record(let object): record(object, to: &output)
        }
    }

    private static func list<Item>(
        _ items: [Item], to output: inout [UInt8], _ write: (Item, inout [UInt8]) -> Void
    ) {
        output.append(UInt8(ascii: "["))
        for (index, item) in items.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            write(item, &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    private static func record(_ object: ViewObject, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "{"))
        for (slot, field) in object.shape.fields.enumerated() {
            if slot > 0 { output.append(UInt8(ascii: ",")) }
            ViewEscaping.appendJSON(field.name, to: &output)
            output.append(UInt8(ascii: ":"))
            write(object.value(at: slot), to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }
}
