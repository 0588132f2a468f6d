/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ssdt.asl - a second PCI segment, with what it is made of inside one window.
 *
 * ECAM, MEMORY and MEMORY_LAST come from machine.py. The kernel takes no configuration
 * window that nobody reserves: hence the first device.
 */
DefinitionBlock ("", "SSDT", 2, "IOPF", "SEGMENT1", 1)
{
	Scope (\_SB)
	{
		Device (IOPR)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_UID, 0x78)
			Name (_CRS, ResourceTemplate () {
				Memory32Fixed (ReadWrite, ECAM, 0x00100000)
			})
		}
		Device (IOPB)
		{
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_UID, 0x77)
			Name (_SEG, 1)
			Name (_BBN, 0)
			Name (_CBA, ECAM)
			Name (_CRS, ResourceTemplate () {
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed,
					PosDecode, 0, 0, 0, 0, 1)
				DWordMemory (ResourceProducer, PosDecode, MinFixed,
					MaxFixed, NonCacheable, ReadWrite, 0, MEMORY,
					MEMORY_LAST, 0, MEMORY_SIZE)
			})
		}
	}
}
