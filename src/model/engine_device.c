/* SPDX-License-Identifier: BSD-3-Clause */
/* model/engine_device.c - functions and platform masters, as an engine calls them. */
#include "model/engine_state.h"

/* One row of calls; @kind is what an engine sits on, @group begins the names of its
 * groups' calls. */
#define DEVICE_CALLS(kind, group) \
static void kind##_set_client(void *device, const struct model_client *client) \
{ \
	model_##kind##_set_client(device, client); \
} \
static int kind##_translate(void *device, uint32_t pasid, uint64_t addr, uint8_t perm, \
			    uint32_t *use) \
{ \
	return model_##kind##_translate(device, pasid, addr, perm, use); \
} \
static bool kind##_usable(const void *device, uint32_t use) \
{ \
	return model_##kind##_usable(device, use); \
} \
static void kind##_release(void *device, uint32_t use) \
{ \
	model_##kind##_release(device, use); \
} \
static int kind##_access(void *device, uint32_t use, uint32_t offset, void *buffer, \
			 uint32_t size_bytes, bool write) \
{ \
	return model_##kind##_access(device, use, offset, buffer, size_bytes, write); \
} \
static int kind##_room(const void *device, uint32_t pasid) \
{ \
	return group##_room(device, pasid); \
} \
static int kind##_open(void *device, uint32_t pasid, uint32_t cookie) \
{ \
	return group##_open(device, pasid, cookie); \
} \
static int kind##_add(void *device, uint32_t number, uint64_t addr, uint8_t perm, \
		      bool last) \
{ \
	return group##_add(device, number, addr, perm, last); \
} \
static int kind##_close(void *device, uint32_t number) \
{ \
	return group##_close(device, number); \
} \
static int kind##_stop(void *device, uint32_t pasid) \
{ \
	return model_##kind##_stop(device, pasid); \
} \
static bool kind##_stopping(const void *device, uint32_t pasid) \
{ \
	return model_##kind##_stopping(device, pasid); \
} \
static void kind##_interrupt(void *device) \
{ \
	model_##kind##_interrupt(device); \
} \
static bool kind##_decodes(const void *device) \
{ \
	return model_##kind##_decodes(device); \
} \
const struct engine_device engine_##kind = { \
	.set_client = kind##_set_client, \
	.translate = kind##_translate, \
	.usable = kind##_usable, \
	.release = kind##_release, \
	.access = kind##_access, \
	.group_room = kind##_room, \
	.group_open = kind##_open, \
	.group_add = kind##_add, \
	.group_close = kind##_close, \
	.stop = kind##_stop, \
	.stopping = kind##_stopping, \
	.interrupt = kind##_interrupt, \
	.decodes = kind##_decodes, \
}

DEVICE_CALLS(function, model_group);
DEVICE_CALLS(master, model_master_group);
