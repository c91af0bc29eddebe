"""Countries: code, English name, continent, and where their Internet is.

Codes are ISO 3166-1 alpha-2, and `XK` for Kosovo as every geo database has it. Names come from
Unicode CLDR 48.2 (Unicode License v3). The continent is the one GeoNames and therefore GeoIP2 use.
Latitude and longitude are the mean of the country's addresses on the globe (not of its area), from
DB-IP City Lite of June 2026 (CC BY 4.0, https://db-ip.com): most of Canada's addresses are near
its southern border, and so is this point.
"""

TABLE = """\
AD|Andorra|EU|42.51|1.54
AE|United Arab Emirates|AS|24.89|55.01
AF|Afghanistan|AS|34.53|68.66
AG|Antigua & Barbuda|NA|17.13|-61.83
AI|Anguilla|NA|18.21|-63.06
AL|Albania|EU|41.21|19.91
AM|Armenia|AS|40.20|44.52
AO|Angola|AF|-8.90|13.29
AQ|Antarctica|AN|-81.96|145.74
AR|Argentina|SA|-34.27|-59.77
AS|American Samoa|OC|-14.27|-170.70
AT|Austria|EU|48.02|15.55
AU|Australia|OC|-33.92|147.45
AW|Aruba|NA|12.53|-70.02
AX|Åland Islands|EU|60.10|19.94
AZ|Azerbaijan|AS|40.41|49.77
BA|Bosnia & Herzegovina|EU|44.15|18.06
BB|Barbados|NA|13.11|-59.59
BD|Bangladesh|AS|23.76|90.39
BE|Belgium|EU|50.87|4.41
BF|Burkina Faso|AF|12.32|-1.62
BG|Bulgaria|EU|42.71|24.39
BH|Bahrain|AS|26.18|50.58
BI|Burundi|AF|-3.37|29.42
BJ|Benin|AF|6.48|2.47
BL|St. Barthélemy|NA|17.90|-62.84
BM|Bermuda|NA|32.30|-64.78
BN|Brunei|AS|4.81|114.74
BO|Bolivia|SA|-17.06|-66.72
BQ|Caribbean Netherlands|NA|12.60|-67.87
BR|Brazil|SA|-21.32|-47.02
BS|Bahamas|NA|25.12|-77.37
BT|Bhutan|AS|27.43|89.75
BV|Bouvet Island|AN|-54.42|3.35
BW|Botswana|AF|-24.44|25.91
BY|Belarus|EU|53.77|27.89
BZ|Belize|NA|17.35|-88.41
CA|Canada|NA|47.16|-82.23
CC|Cocos (Keeling) Islands|AS|-12.16|96.82
CD|Congo - Kinshasa|AF|-4.72|16.93
CF|Central African Republic|AF|4.43|18.53
CG|Congo - Brazzaville|AF|-4.22|15.15
CH|Switzerland|EU|47.07|7.81
CI|Côte d'Ivoire|AF|5.44|-4.10
CK|Cook Islands|OC|-20.86|-159.73
CL|Chile|SA|-33.57|-70.93
CM|Cameroon|AF|4.06|10.49
CN|China|AS|33.62|115.61
CO|Colombia|SA|5.30|-74.52
CR|Costa Rica|NA|9.96|-84.17
CU|Cuba|NA|23.00|-82.08
CV|Cape Verde|AF|15.67|-23.61
CW|Curaçao|NA|12.12|-68.92
CX|Christmas Island|AS|-10.43|105.67
CY|Cyprus|EU|35.07|33.29
CZ|Czechia|EU|49.94|15.05
DE|Germany|EU|50.31|9.47
DJ|Djibouti|AF|11.76|42.72
DK|Denmark|EU|55.97|11.14
DM|Dominica|NA|15.33|-61.38
DO|Dominican Republic|NA|18.66|-70.12
DZ|Algeria|AF|36.03|3.29
EC|Ecuador|SA|-1.30|-79.15
EE|Estonia|EU|59.39|24.90
EG|Egypt|AF|30.06|31.21
EH|Western Sahara|AF|27.15|-13.20
ER|Eritrea|AF|15.33|38.93
ES|Spain|EU|40.12|-3.28
ET|Ethiopia|AF|9.04|38.76
FI|Finland|EU|60.72|24.87
FJ|Fiji|OC|-18.10|178.40
FK|Falkland Islands|SA|-51.70|-57.86
FM|Micronesia|OC|7.16|156.49
FO|Faroe Islands|EU|62.03|-6.78
FR|France|EU|48.00|2.64
GA|Gabon|AF|0.39|9.49
GB|United Kingdom|EU|51.83|-0.50
GD|Grenada|NA|12.07|-61.73
GE|Georgia|AS|41.72|44.68
GF|French Guiana|SA|4.95|-52.38
GG|Guernsey|EU|49.46|-2.54
GH|Ghana|AF|5.62|-0.25
GI|Gibraltar|EU|36.14|-5.35
GL|Greenland|NA|64.55|-51.63
GM|Gambia|AF|13.45|-16.67
GN|Guinea|AF|9.54|-13.61
GP|Guadeloupe|NA|16.19|-61.59
GQ|Equatorial Guinea|AF|3.22|9.15
GR|Greece|EU|38.33|23.57
GS|South Georgia & South Sandwich Islands|AN|-54.28|-36.50
GT|Guatemala|NA|14.64|-90.56
GU|Guam|OC|13.48|144.80
GW|Guinea-Bissau|AF|11.86|-15.54
GY|Guyana|SA|6.76|-58.16
HK|Hong Kong|AS|22.33|114.17
HM|Heard & McDonald Islands|AN|-53.10|73.52
HN|Honduras|NA|14.52|-87.39
HR|Croatia|EU|45.48|16.08
HT|Haiti|NA|18.55|-72.31
HU|Hungary|EU|47.38|19.14
ID|Indonesia|AS|-5.98|107.57
IE|Ireland|EU|53.27|-6.53
IL|Israel|AS|32.13|34.87
IM|Isle of Man|EU|54.16|-4.52
IN|India|AS|20.43|76.64
IO|British Indian Ocean Territory|AS|-7.32|72.42
IQ|Iraq|AS|33.85|44.53
IR|Iran|AS|35.17|51.44
IS|Iceland|EU|64.18|-21.81
IT|Italy|EU|43.90|10.94
JE|Jersey|EU|49.19|-2.11
JM|Jamaica|NA|18.09|-76.98
JO|Jordan|AS|31.94|35.90
JP|Japan|AS|35.61|139.14
KE|Kenya|AF|-1.26|36.85
KG|Kyrgyzstan|AS|42.72|74.48
KH|Cambodia|AS|11.65|104.78
KI|Kiribati|OC|1.27|174.78
KM|Comoros|AF|-11.74|43.34
KN|St. Kitts & Nevis|NA|17.26|-62.70
KP|North Korea|AS|39.11|125.77
KR|South Korea|AS|37.20|127.14
KW|Kuwait|AS|29.35|47.98
KY|Cayman Islands|NA|19.31|-81.36
KZ|Kazakhstan|AS|46.09|73.70
LA|Laos|AS|17.95|102.75
LB|Lebanon|AS|33.89|35.53
LC|St. Lucia|NA|14.00|-60.99
LI|Liechtenstein|EU|47.16|9.52
LK|Sri Lanka|AS|6.97|79.97
LR|Liberia|AF|6.32|-10.79
LS|Lesotho|AF|-29.32|27.58
LT|Lithuania|EU|54.79|24.97
LU|Luxembourg|EU|49.65|6.13
LV|Latvia|EU|56.95|24.08
LY|Libya|AF|32.75|13.85
MA|Morocco|AF|33.72|-6.99
MC|Monaco|EU|43.74|7.42
MD|Moldova|EU|47.03|28.88
ME|Montenegro|EU|42.44|19.20
MF|St. Martin|NA|18.07|-63.08
MG|Madagascar|AF|-18.83|47.53
MH|Marshall Islands|OC|7.09|171.16
MK|North Macedonia|EU|41.91|21.49
ML|Mali|AF|12.64|-8.02
MM|Myanmar|AS|17.94|96.31
MN|Mongolia|AS|47.91|106.72
MO|Macao|AS|22.17|113.56
MP|Northern Mariana Islands|OC|15.19|145.74
MQ|Martinique|NA|14.60|-61.04
MR|Mauritania|AF|18.15|-15.74
MS|Montserrat|NA|16.71|-62.22
MT|Malta|EU|35.90|14.47
MU|Mauritius|AF|-20.24|57.50
MV|Maldives|AS|4.16|73.50
MW|Malawi|AF|-14.60|34.23
MX|Mexico|NA|21.20|-100.33
MY|Malaysia|AS|3.14|102.12
MZ|Mozambique|AF|-25.19|32.95
NA|Namibia|AF|-22.59|17.00
NC|New Caledonia|OC|-22.20|166.39
NE|Niger|AF|13.55|2.41
NF|Norfolk Island|OC|-29.05|167.97
NG|Nigeria|AF|6.80|4.00
NI|Nicaragua|NA|12.18|-86.22
NL|Netherlands|EU|52.19|5.09
NO|Norway|EU|60.38|10.14
NP|Nepal|AS|27.67|85.14
NR|Nauru|OC|-0.53|166.92
NU|Niue|OC|-19.06|-169.92
NZ|New Zealand|OC|-38.41|174.55
OM|Oman|AS|23.47|58.20
PA|Panama|NA|8.95|-79.72
PE|Peru|SA|-11.94|-76.87
PF|French Polynesia|OC|-17.50|-149.47
PG|Papua New Guinea|OC|-8.27|146.72
PH|Philippines|AS|14.16|121.30
PK|Pakistan|AS|30.84|71.46
PL|Poland|EU|52.00|19.86
PM|St. Pierre & Miquelon|NA|46.80|-56.19
PN|Pitcairn Islands|OC|-25.07|-130.10
PR|Puerto Rico|NA|18.37|-66.18
PS|Palestinian Territories|AS|32.00|35.15
PT|Portugal|EU|39.38|-9.17
PW|Palau|OC|7.44|134.56
PY|Paraguay|SA|-25.34|-57.21
QA|Qatar|AS|25.30|51.51
RE|Réunion|AF|-20.98|55.45
RO|Romania|EU|45.06|25.66
RS|Serbia|EU|44.67|20.53
RU|Russia|EU|57.25|48.39
RW|Rwanda|AF|-1.95|30.08
SA|Saudi Arabia|AS|24.59|45.89
SB|Solomon Islands|OC|-9.44|159.97
SC|Seychelles|AF|-4.63|55.47
SD|Sudan|AF|15.59|32.56
SE|Sweden|EU|59.09|16.54
SG|Singapore|AS|1.34|103.83
SH|St. Helena|AF|-15.93|-5.72
SI|Slovenia|EU|46.10|14.61
SJ|Svalbard & Jan Mayen|EU|78.23|15.63
SK|Slovakia|EU|48.44|18.20
SL|Sierra Leone|AF|8.48|-13.21
SM|San Marino|EU|43.96|12.47
SN|Senegal|AF|14.69|-17.31
SO|Somalia|AF|4.76|45.12
SR|Suriname|SA|5.82|-55.19
SS|South Sudan|AF|4.86|31.58
ST|São Tomé & Príncipe|AF|0.33|6.72
SV|El Salvador|NA|13.69|-89.18
SX|Sint Maarten|NA|18.03|-63.06
SY|Syria|AS|33.80|36.35
SZ|Eswatini|AF|-26.35|31.17
TC|Turks & Caicos Islands|NA|21.77|-72.15
TD|Chad|AF|12.14|15.18
TF|French Southern Territories|AN|-49.35|70.22
TG|Togo|AF|6.27|1.20
TH|Thailand|AS|13.77|100.58
TJ|Tajikistan|AS|38.66|68.83
TK|Tokelau|OC|-9.26|-171.43
TL|Timor-Leste|OC|-8.62|125.54
TM|Turkmenistan|AS|37.94|58.66
TN|Tunisia|AF|36.68|10.20
TO|Tonga|OC|-21.15|-175.19
TR|Türkiye|AS|40.14|30.88
TT|Trinidad & Tobago|NA|10.63|-61.49
TV|Tuvalu|OC|-8.49|179.16
TW|Taiwan|AS|24.86|121.40
TZ|Tanzania|AF|-6.60|38.73
UA|Ukraine|EU|49.86|30.75
UG|Uganda|AF|0.33|32.52
UM|U.S. Outlying Islands|OC|19.28|166.65
US|United States|NA|39.59|-89.72
UY|Uruguay|SA|-34.47|-56.13
UZ|Uzbekistan|AS|41.18|69.16
VA|Vatican City|EU|41.90|12.45
VC|St. Vincent & Grenadines|NA|13.15|-61.22
VE|Venezuela|SA|10.18|-67.73
VG|British Virgin Islands|NA|18.43|-64.61
VI|U.S. Virgin Islands|NA|18.32|-64.95
VN|Vietnam|AS|18.82|106.07
VU|Vanuatu|OC|-17.68|168.33
WF|Wallis & Futuna|OC|-13.28|-176.18
WS|Samoa|OC|-13.84|-171.77
XK|Kosovo|EU|42.63|21.06
YE|Yemen|AS|15.15|44.42
YT|Mayotte|AF|-12.79|45.22
ZA|South Africa|AF|-28.67|25.68
ZM|Zambia|AF|-15.36|28.34
ZW|Zimbabwe|AF|-18.14|30.74
"""
