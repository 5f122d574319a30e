import Core

/// Lays a message out once: fixed bytes, and the steps that put them and the values in order.
struct MessageCompiler {
    private(set) var fixed: [UInt8] = []
    private(set) var steps: [MessageTemplate.Step] = []
    private(set) var names: [String] = []
    private(set) var freeTexts: [MessageTemplate.FreeText] = []
    private let boundary: String
    private let outerBoundary: String

    /// A boundary with `=_` cannot occur in quoted-printable or base64, where `=` is never followed by `_`.
    init(randomness: Randomness) {
        boundary = "=_\(Hexadecimal.encode(Self.bytes(randomness)))"
        outerBoundary = "=_\(Hexadecimal.encode(Self.bytes(randomness)))"
    }

    private static func bytes(_ randomness: Randomness) -> [UInt8] {
        withUnsafeBytes(of: (randomness.next(), randomness.next())) { Array($0.prefix(12)) }
    }

    private mutating func copy(_ text: String) {
        copy(Array(text.utf8))
    }

    private mutating func copy(_ bytes: [UInt8]) {
        let start: Int = fixed.count
        fixed += bytes
        if case .copy(let range)? = steps.last, range.upperBound == start {
            steps[steps.count - 1] = .copy(range.lowerBound..<fixed.count)
        } else {
            steps.append(.copy(start..<fixed.count))
        }
    }

    // MARK: Headers

    mutating func addHeaders(
        from: MailAddress, replyTo: MailAddress?, subject: [MessagePiece], headers: [MailHeader]
    ) throws(ValidationErrors) {
        copy("Date: ")
        steps.append(.date)
        copy("\r\nFrom: ")
        copy(try mailbox(from, field: "from", taken: 6))
        copy("\r\nTo: ")
        steps.append(.recipient)
        copy("\r\nSubject: ")
        try addFreeText("Subject", subject, field: "subject")
        copy("\r\nMessage-ID: <")
        steps.append(.messageID)
        copy(">\r\n")
        if let replyTo {
            copy("Reply-To: ")
            copy(try mailbox(replyTo, field: "replyTo", taken: 10))
            copy("\r\n")
        }
        var names: Set<String> = []
        for header in headers {
            guard names.insert(header.name.lowercased()).inserted else {
                throw ValidationErrors("headers", "The header \(header.name) is given twice.")
            }
            try add(header)
        }
        copy("MIME-Version: 1.0\r\n")
    }

    private func mailbox(_ mailbox: MailAddress, field: String, taken: Int) throws(ValidationErrors) -> [UInt8] {
        let address: String = mailbox.address.wireForm
        guard WireAddress.isSafe(address) else {
            throw ValidationErrors(field, "This address cannot be used in a message.")
        }
        guard !HeaderText.hasControl(mailbox.name.utf8) else {
            throw ValidationErrors(field, "The name has a line break or another character that is not allowed there.")
        }
        var output: [UInt8] = []
        HeaderText.appendMailbox(name: mailbox.name, address: address, taken: taken, to: &output)
        return output
    }

    private mutating func addFreeText(
        _ name: String, _ pieces: [MessagePiece], field: String
    ) throws(ValidationErrors) {
        var known: [UInt8] = []
        var hasSlots = false
        for piece in pieces {
            if case .text(let text) = piece { known += text.utf8 } else { hasSlots = true }
        }
        guard !HeaderText.hasControl(known) else {
            throw ValidationErrors(field, "\(name) has a line break or another character that is not allowed there.")
        }
        if hasSlots {
            freeTexts.append(MessageTemplate.FreeText(name: name, pieces: pieces))
            steps.append(.freeText(freeTexts.count - 1))
        } else {
            HeaderText.finishUnstructured(from: 0, name: name, in: &known)
            copy(known)
        }
    }

    private mutating func add(_ header: MailHeader) throws(ValidationErrors) {
        copy("\(header.name): ")
        if header.isFreeText {
            let pieces: [MessagePiece] = header.parts.compactMap {
                if case .piece(let piece) = $0 { piece } else { nil }
            }
            try addFreeText(header.name, pieces, field: "headers")
            copy("\r\n")
            return
        }
        for part in header.parts {
            switch part {
            case .ready(let bytes): copy(bytes)
            case .piece(.slot(let slot)): steps.append(.headerSlot(slot))
            case .piece(.text(let text)):
                guard text.utf8.allSatisfy({ $0 >= 32 && $0 < 127 }) else {
                    throw ValidationErrors("headers", "The header \(header.name) has characters that are not allowed.")
                }
                copy(text)
            }
        }
        names.append(header.name)
        steps.append(.headerEnd(names.count - 1))
    }

    // MARK: Body

    mutating func addBody(
        text: [MessagePiece]?, html: [MessagePiece]?, attachments: [MailAttachment]
    ) throws(ValidationErrors) {
        guard text != nil || html != nil else { throw ValidationErrors("body", "The message has no text.") }
        if !attachments.isEmpty {
            copy("Content-Type: multipart/mixed;\r\n boundary=\"\(outerBoundary)\"\r\n\r\n--\(outerBoundary)\r\n")
        }
        if let text, let html {
            copy("Content-Type: multipart/alternative;\r\n boundary=\"\(boundary)\"\r\n\r\n--\(boundary)\r\n")
            addPart("text/plain", text)
            copy("\r\n--\(boundary)\r\n")
            addPart("text/html", html)
            copy("\r\n--\(boundary)--\r\n")
        } else if let text {
            addPart("text/plain", text)
            copy("\r\n")
        } else if let html {
            addPart("text/html", html)
            copy("\r\n")
        }
        guard !attachments.isEmpty else { return }
        for attachment in attachments {
            copy("\r\n--\(outerBoundary)\r\n")
            copy(try attachment.part())
        }
        copy("\r\n--\(outerBoundary)--\r\n")
    }

    private mutating func addPart(_ type: String, _ pieces: [MessagePiece]) {
        copy("Content-Type: \(type); charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
        steps.append(.bodyStart)
        var pending = ""
        for piece in pieces {
            switch piece {
            case .text(let text): pending += text
            case .slot(let slot):
                addBodyText(pending)
                pending = ""
                steps.append(.bodySlot(slot))
            }
        }
        addBodyText(pending)
    }

    /// Text is encoded as if it began a line; when it is rendered elsewhere and would not fit, a soft break goes
    /// before it.
    private mutating func addBodyText(_ text: String) {
        guard !text.isEmpty else { return }
        let start: Int = fixed.count
        var column = 0
        Array(text.utf8).withUnsafeBufferPointer { QuotedPrintable.append($0, column: &column, to: &fixed) }
        let encoded: ArraySlice<UInt8> = fixed[start...]
        let firstBreak: Int? = encoded.firstIndex(of: 13)
        let step = MessageTemplate.Step.body(
            start..<fixed.count, firstLine: (firstBreak ?? fixed.count) - start, lastColumn: column,
            breaks: firstBreak != nil)
        steps.append(step)
    }
}
