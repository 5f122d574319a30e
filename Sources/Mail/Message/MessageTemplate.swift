import Core

/// A message for many people, compiled once: per person it is a matter of copying bytes.
///
/// Everything that is the same for everyone is checked, encoded and laid out when the template is made. Rendering
/// copies
/// those runs and encodes only the values between them, in one pass into one buffer.
package struct MessageTemplate: Sendable {
    /// One step of rendering. Ranges lie in `fixed`; the steps hold only numbers, so that walking through them is
    /// cheap.
    enum Step: Sendable {
        case copy(Range<Int>)
        /// Encoded body text: how long its first line is, and the column after it when a line breaks inside.
        case body(Range<Int>, firstLine: Int, lastColumn: Int, breaks: Bool)
        case bodySlot(Int)
        case bodyStart
        case headerSlot(Int)
        /// The index of the header that ends here, in `names`.
        case headerEnd(Int)
        /// An index in `freeTexts`.
        case freeText(Int)
        case recipient
        case date
        case messageID
    }

    /// A header of free text with values in it.
    struct FreeText: Sendable {
        let name: String
        let pieces: [MessagePiece]
    }

    fileprivate let fixed: [UInt8]
    fileprivate let names: [String]
    fileprivate let freeTexts: [FreeText]
    private let steps: [Step]

    /// - Parameters:
    ///   - headers: see ``MailHeader``; at most one of each.
    ///   - text: the plain part; real text, never empty for marketing.
    ///   - html: the HTML part, or nil for a message of text alone.
    /// - Throws: field errors, named `from`, `replyTo`, `subject`, `headers`, `attachment` or `body`.
    package init(
        from: MailAddress, replyTo: MailAddress? = nil, subject: [MessagePiece], headers: [MailHeader] = [],
        text: [MessagePiece]?, html: [MessagePiece]?, attachments: [MailAttachment] = [],
        randomness: Randomness = .system
    ) throws(ValidationErrors) {
        var compiler = MessageCompiler(randomness: randomness)
        try compiler.addHeaders(from: from, replyTo: replyTo, subject: subject, headers: headers)
        try compiler.addBody(text: text, html: html, attachments: attachments)
        fixed = compiler.fixed
        names = compiler.names
        freeTexts = compiler.freeTexts
        steps = compiler.steps
    }

    /// Appends one person's message to a buffer; on an error the buffer is as before.
    /// - Parameters:
    ///   - address: the recipient in its wire form (`EmailAddress.wireForm`).
    ///   - name: the recipient's name, or empty.
    ///   - messageID: without angle brackets, unique for this message and kept for its retries.
    ///   - values: at least as many as the template has slots.
    /// - Throws: a field error when a value would break a header; nothing is stripped silently.
    package func render(
        to address: String, name: String = "", messageID: String, date: MailDate, values: MessageValues,
        into output: inout [UInt8]
    ) throws(ValidationErrors) {
        let start: Int = output.count
        do {
            var renderer = MessageRenderer(
                address: address, name: name, messageID: messageID, date: date, values: values, template: self)
            for step in steps { try renderer.run(step, into: &output) }
        } catch {
            output.removeSubrange(start...)
            throw error
        }
    }
}

/// Carries one rendering through its steps.
private struct MessageRenderer {
    let address: String
    let name: String
    let messageID: String
    let date: MailDate
    let values: MessageValues
    let template: MessageTemplate
    private var column = 0

    init(
        address: String, name: String, messageID: String, date: MailDate, values: MessageValues,
        template: MessageTemplate
    ) {
        self.address = address
        self.name = name
        self.messageID = messageID
        self.date = date
        self.values = values
        self.template = template
    }

    mutating func run(_ step: MessageTemplate.Step, into output: inout [UInt8]) throws(ValidationErrors) {
        switch step {
        case .copy(let range):
            copy(range, to: &output)
        case .body(let range, let firstLine, let lastColumn, let breaks):
            appendBody(range, firstLine: firstLine, lastColumn: lastColumn, breaks: breaks, to: &output)
        case .bodySlot(let slot):
            let range: Range<Int> = try range(of: slot)
            values.bytes.withUnsafeBufferPointer { bytes in
                QuotedPrintable.append(UnsafeBufferPointer(rebasing: bytes[range]), column: &column, to: &output)
            }
        case .bodyStart: column = 0
        case .headerSlot(let slot): try appendHeaderSlot(slot, to: &output)
        case .headerEnd(let index): try endHeader(index, in: &output)
        case .freeText(let index): try appendFreeText(template.freeTexts[index], to: &output)
        case .recipient: try appendRecipient(to: &output)
        case .date: output.append(contentsOf: date.bytes)
        case .messageID: try appendMessageID(to: &output)
        }
    }

    private func copy(_ range: Range<Int>, to output: inout [UInt8]) {
        template.fixed.withUnsafeBufferPointer { output.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
    }

    private mutating func appendBody(
        _ range: Range<Int>, firstLine: Int, lastColumn: Int, breaks: Bool, to output: inout [UInt8]
    ) {
        if column > 0, column + firstLine > QuotedPrintable.lineLimit {
            output.append(UInt8(ascii: "="))
            output.append(13)
            output.append(10)
            column = 0
        }
        copy(range, to: &output)
        column = breaks ? lastColumn : column + firstLine
    }

    private func range(of slot: Int) throws(ValidationErrors) -> Range<Int> {
        guard let range = values.range(of: slot) else {
            throw ValidationErrors("body", "A value for the message is missing.")
        }
        return range
    }

    /// A value inside a header that is written as it is, such as a link: printable ASCII without space and brackets.
    private mutating func appendHeaderSlot(_ slot: Int, to output: inout [UInt8]) throws(ValidationErrors) {
        let value: ArraySlice<UInt8> = values.bytes[try range(of: slot)]
        let isSafe: Bool = value.allSatisfy {
            $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: ",")
        }
        guard isSafe else {
            throw ValidationErrors("headers", "A link or value in a header has characters that are not allowed.")
        }
        output.append(contentsOf: value)
    }

    /// Checks the length of the header line that just ended.
    private func endHeader(_ header: Int, in output: inout [UInt8]) throws(ValidationErrors) {
        var length = 0
        var index: Int = output.count - 1
        while index >= 0, output[index] != 10, length <= HeaderText.maximumLength {
            length += 1
            index -= 1
        }
        guard length <= HeaderText.maximumLength else {
            throw ValidationErrors("headers", "The header \(template.names[header]) is too long.")
        }
        output.append(13)
        output.append(10)
    }

    private func appendFreeText(
        _ freeText: MessageTemplate.FreeText, to output: inout [UInt8]
    ) throws(ValidationErrors) {
        let start: Int = output.count
        let name: String = freeText.name
        for piece in freeText.pieces {
            switch piece {
            case .text(let text): output.append(contentsOf: text.utf8)
            case .slot(let slot): output.append(contentsOf: values.bytes[try range(of: slot)])
            }
        }
        guard !HeaderText.hasControl(output[start...]) else {
            let field: String = name == "Subject" ? "subject" : "headers"
            throw ValidationErrors(field, "\(name) has a line break or another character that is not allowed there.")
        }
        HeaderText.finishUnstructured(from: start, name: name, in: &output)
    }

    private func appendRecipient(to output: inout [UInt8]) throws(ValidationErrors) {
        guard WireAddress.isSafe(address) else { throw ValidationErrors("to", "The recipient's address is not valid.") }
        guard !HeaderText.hasControl(name.utf8) else {
            throw ValidationErrors(
                "to", "The recipient's name has a line break or another character that is not allowed there.")
        }
        HeaderText.appendMailbox(name: name, address: address, taken: 4, to: &output)
    }

    private func appendMessageID(to output: inout [UInt8]) throws(ValidationErrors) {
        guard WireAddress.isSafe(messageID) else { throw ValidationErrors("messageId", "The message id is not valid.") }
        output.append(contentsOf: messageID.utf8)
    }
}
