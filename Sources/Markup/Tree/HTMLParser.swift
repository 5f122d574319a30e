import CLibXML2

/// The one place that calls libxml2.
///
/// Only its event interface is used: it builds no tree of its own, so there is nothing to free but the parser, and the
/// depth limit stops it while it reads. No network, no entity files, no error output.
enum HTMLParser {
    /// Process-wide preparation, done once: libxml2's own tables, and a loader that refuses every outside entity.
    private static let prepared: Bool = {
        xmlInitParser()
        xmlSetExternalEntityLoader { _, _, _ in nil }
        return true
    }()

    static func parse(_ bytes: [UInt8], into builder: HTMLTreeBuilder) throws(MarkupError) {
        guard prepared, let context = htmlNewParserCtxt() else { throw .outOfMemory }
        defer { htmlFreeParserCtxt(context) }
        setHandlers(of: context)
        context.pointee.userData = Unmanaged.passUnretained(builder).toOpaque()
        builder.stop = { xmlStopParser(context) }
        let options: UInt32 =
            HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NOERROR.rawValue | HTML_PARSE_NOWARNING.rawValue
            | HTML_PARSE_NONET.rawValue | HTML_PARSE_IGNORE_ENC.rawValue | HTML_PARSE_NODEFDTD.rawValue
        bytes.withUnsafeBytes { buffer in
            let characters = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            let document = htmlCtxtReadMemory(context, characters, Int32(buffer.count), nil, "UTF-8", Int32(options))
            if let document { xmlFreeDoc(document) }
        }
        builder.stop = nil
        builder.finish()
        if let failure = builder.failure { throw failure }
    }

    private static func setHandlers(of context: htmlParserCtxtPtr) {
        guard let sax = context.pointee.sax else { return }
        sax.pointee = xmlSAXHandler()
        sax.pointee.startElement = { user, name, attributes in
            guard let builder = HTMLParser.builder(user), let name else { return }
            builder.start(String(cString: name), attributes: HTMLParser.attributes(attributes))
        }
        sax.pointee.endElement = { user, name in
            guard let name else { return }
            HTMLParser.builder(user)?.end(String(cString: name))
        }
        sax.pointee.characters = { user, text, count in
            HTMLParser.builder(user)?.append(UnsafeBufferPointer(start: text, count: Int(count)))
        }
        sax.pointee.ignorableWhitespace = sax.pointee.characters
        sax.pointee.cdataBlock = sax.pointee.characters
        sax.pointee.comment = { user, text in
            guard let text else { return }
            HTMLParser.builder(user)?.comment(String(cString: text))
        }
        sax.pointee.internalSubset = { user, name, _, _ in
            guard let name else { return }
            HTMLParser.builder(user)?.doctype = String(cString: name).lowercased()
        }
    }

    private static func builder(_ user: UnsafeMutableRawPointer?) -> HTMLTreeBuilder? {
        user.map { Unmanaged<HTMLTreeBuilder>.fromOpaque($0).takeUnretainedValue() }
    }

    /// libxml2 gives name, value, name, value, …, nil.
    private static func attributes(_ list: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?) -> [HTMLAttribute] {
        guard let list else { return [] }
        var attributes: [HTMLAttribute] = []
        var index = 0
        while let name = list[index] {
            let value = list[index + 1].map { String(cString: $0) } ?? ""
            attributes.append(HTMLAttribute(String(cString: name).lowercased(), value))
            index += 2
        }
        return attributes
    }
}
