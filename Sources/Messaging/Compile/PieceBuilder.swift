import Core
import Mail
import Templates

/// Turns the three texts of an e-mail into pieces and slots.
struct PieceBuilder {
    /// The unsubscribe address is slot 0: the header needs it in any case.
    static let unsubscribeSlot = 0

    private(set) var sources: [CompiledEmail.Source] = [.unsubscribe]
    /// Links with the same target for everybody, by number; nil for those made by Liquid.
    let links: [CompiledEmail.LinkSource?]
    private var linkSlots: [Int: Int] = [:]
    private var pixelSlot: Int?
    private(set) var usesProperties = false

    init(_ email: PreparedEmail) {
        links = email.links.enumerated().map { number, link in
            link.isLiquid ? nil : CompiledEmail.LinkSource(number: number, url: link.url)
        }
    }

    /// - Throws: `TemplateError` for Liquid that cannot be read.
    mutating func pieces(of source: String, mode: LiquidMode) throws(TemplateError) -> [MessagePiece] {
        // The whole is read first: errors must name the line in the author's text, not in a part of it.
        let whole = try MergeTemplate(source, mode: mode)
        if whole.usesProperties { usesProperties = true }
        guard let parts = MergeSplitter.split(source) else { return [add(.slottedLiquid(whole))] }
        let slots: [CompiledEmail.Source] = sources
        do {
            var pieces: [MessagePiece] = []
            for part in parts {
                if let piece = try piece(for: part, mode: mode) { pieces.append(piece) }
            }
            return pieces
        } catch {
            // A part that cannot stand alone after all: the whole can.
            sources = slots
            linkSlots = linkSlots.filter { $0.value < slots.count }
            if let slot = pixelSlot, slot >= slots.count { pixelSlot = nil }
            return [add(.slottedLiquid(whole))]
        }
    }

    private mutating func piece(for part: MergePart, mode: LiquidMode) throws(TemplateError) -> MessagePiece? {
        switch part {
        case .text(let bytes): return .text(String(decoding: bytes, as: UTF8.self))
        case .unsubscribe, .preferences: return .slot(Self.unsubscribeSlot)
        case .pixel:
            if let pixelSlot { return .slot(pixelSlot) }
            let piece: MessagePiece = add(.pixel)
            if case .slot(let slot) = piece { pixelSlot = slot }
            return piece
        case .link(let number, nil):
            guard number < links.count, let link = links[number] else { return nil }
            if let slot = linkSlots[number] { return .slot(slot) }
            linkSlots[number] = sources.count
            return add(.link(link))
        case .link(let number, let address?):
            return add(.liquidLink(number, try MergeTemplate(address, mode: .html)))
        case .liquid(let source):
            let template = try MergeTemplate(source, mode: mode)
            let mayHaveSlots: Bool = source.unicodeScalars.contains("\u{E000}")
            return add(mayHaveSlots ? .slottedLiquid(template) : .liquid(template))
        }
    }

    private mutating func add(_ source: CompiledEmail.Source) -> MessagePiece {
        sources.append(source)
        return .slot(sources.count - 1)
    }
}
