/// What kind of value a property holds. The raw value is what is stored and what the API says.
package enum PropertyType: String, Sendable, CaseIterable, Codable {
    case text, longText, number, money, boolean, date, dateTime, singleSelect, multiSelect, url

    /// Whether any text fits, so that nothing has to be read to check it.
    var isPlainText: Bool { self == .text || self == .longText }
}

/// One choice of a select property: `value` is stored and stays, `label` is shown and may be renamed.
package struct PropertyOption: Sendable, Hashable, Codable {
    package let value: String
    package let label: String

    package init(value: String, label: String) {
        self.value = value
        self.label = label
    }
}

/// Currencies of ISO 4217 that money can be in.
package enum Currency {
    /// How many decimals the currency has: 2 for EUR, 0 for JPY; nil when there is no such currency.
    package static func decimals(_ code: String) -> Int? {
        if none.contains(code) { return 0 }
        if three.contains(code) { return 3 }
        return two.contains(code) ? 2 : nil
    }

    private static func set(_ codes: String) -> Set<String> {
        Set(codes.split(separator: " ").map(String.init))
    }

    private static let none: Set<String> = set(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF")
    private static let three: Set<String> = set("BHD IQD JOD KWD LYD OMR TND")
    private static let two: Set<String> = set(
        """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC \
        CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR \
        JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD \
        NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN \
        SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW
        """)
}
